"""From a station to what a front end shows: the state word, the why, the cells, the page."""

from dataclasses import replace
from datetime import datetime

from pipeline.admission import until
from pipeline.alerts import Firing
from pipeline.calibration import standing
from pipeline.gates import UNWELL, Answer, Gate, first_closed
from pipeline.hostwork import Standing, is_restart
from pipeline.judge.verdict import Judgement, Verdict
from pipeline.lifecycle import CANARY, PRODUCTION, STAGING, Phase, Rollout
from pipeline.model import Pool, Track
from pipeline.observed import HostState
from pipeline.placement import in_waves
from pipeline.resting import at_rest, stays_out, trouble
from pipeline.station import Station
from pipeline.targets import Targets, targets
from pipeline.telemetry import track_of
from pipeline.traffic_cycle import remaining_s
from pipeline.view import (
    MOST_ALERTS,
    Budget,
    Deploy,
    HostLine,
    JudgeView,
    Mark,
    Progress,
    ServiceRow,
    ServiceView,
    StageCell,
    State,
)
from pipeline.words import duration

_RANK = {
    State.BACK: 0,
    State.HOLD: 1,
    State.BLOCK: 3,
    State.STALE: 4,
    State.WAIT: 5,
    State.PAUSED: 6,
    State.LOCK: 7,
    State.STEADY: 9,
}
_MOVING = 8
_WATCHED = 2

_PHASES = {
    Phase.QUEUED: State.QUEUED,
    Phase.STAGING_DEPLOY: State.STAGE,
    Phase.STAGING_CHECKS: State.GATES,
    Phase.CANARY_DEPLOY: State.CANARY,
    Phase.CANARY_BAKE: State.BAKE,
    Phase.WAVE_DEPLOY: State.ROLL,
    Phase.WAVE_SOAK: State.ROLL,
    Phase.SETTLING: State.SETTLE,
    Phase.ROLLING_BACK: State.BACK,
}
DECISIONS = frozenset({"look", "alert", "gate", "canary", "rollback", "restored", "wave", "staging", "settled"})


def row(station: Station, now: datetime, now_s: float) -> ServiceRow:
    """The service on one line."""
    service, rollout = station.service, station.rollout
    word = state(station, now, now_s)
    judgement = _judgement(station)
    moves = rollout is not None and not rollout.ended
    watched = word not in {State.BACK, State.STALE} and (
        (judgement is not None and judgement.verdict in {Verdict.WATCH, Verdict.FAIL})
        or (moves and any(gate.answer is Answer.FAIL for gate in station.gates))
    )
    rank = _WATCHED if watched and _RANK.get(word, _MOVING) > _WATCHED else _RANK.get(word, _MOVING)
    stale = station.stale_s(now_s)
    return ServiceRow(
        name=service.name,
        team=service.team,
        tier=service.tier,
        state=word,
        verdict=Verdict.NO_DATA if word is State.STALE else judgement.verdict if judgement is not None else None,
        why=_why(station, word, now, now_s),
        staging=_staging(station),
        canary=_canary(station),
        production=_production(station),
        budget=_budget(station),
        p99_s=None if stale is not None else station.p99_s(),
        error_ratio=None if stale is not None else station.error_ratio(),
        wait_s=_wait(station, word, now),
        age_s=stale if stale is not None else (now - rollout.since).total_seconds() if rollout is not None else None,
        attention=rank * 10 + min(service.tier, 9),
        watched=watched and word is not State.LOCK,
        release=rollout.id if rollout is not None and not rollout.ended else "",
        revision=rollout.revision if rollout is not None and not rollout.ended else "",
        version=rollout.version if rollout is not None else 0,
        progress=_progress(station),
        alerts=len(station.firing.alerts),
        incident=_incident(station),
        glass=_glass(station, now),
    )


def _budget(station: Station) -> Budget:
    """With whether a release may begin, as the gates said last."""
    its, said = station.budget(), station.admission
    if said is None:
        return replace(its, deploy=Deploy.UNKNOWN, deploy_why="its gates are not asked yet")
    if said.deploy is Deploy.OK:
        return its
    return replace(its, deploy=said.deploy, deploy_why=said.why, deploy_until=until(said))


def _incident(station: Station) -> str:
    gravest = station.docket.gravest(station.service.rules.emergency.severities)
    return f"{gravest.severity} {gravest.id}" if gravest is not None else ""


def _glass(station: Station, now: datetime) -> str:
    its = station.docket.pass_in_force(now)
    return f"until {its.ends:%H:%M} UTC by {its.by}, approved by {its.approved_by}" if its is not None else ""


def state(station: Station, now: datetime, now_s: float) -> State:
    """The one word. Going back comes before all else; unknown before anything that looks well."""
    rollout = station.rollout
    if rollout is None or rollout.ended:
        if stays_out(station) or station.docket.locks_on(now):
            return State.LOCK
        if station.stale_s(now_s) is not None:
            return State.STALE
        return State.HOLD if trouble(station) else State.STEADY
    if rollout.phase is Phase.ROLLING_BACK:
        return State.BACK
    if rollout.pause is not None:
        return State.PAUSED
    if station.stale_s(now_s) is not None:
        return State.STALE
    closed = [gate for gate in station.gates if gate.answer is not Answer.PASS]
    if rollout.phase is Phase.QUEUED:
        return State.BLOCK if closed else State.QUEUED
    if any(gate.name in UNWELL for gate in closed):
        return State.HOLD
    if closed and all(gate.name == "promote" for gate in closed):
        return State.WAIT
    return _PHASES[rollout.phase]


def _judgement(station: Station) -> Judgement | None:
    rollout = station.rollout
    if rollout is None or rollout.phase not in PRODUCTION | CANARY | {Phase.ROLLING_BACK, Phase.ROLLED_BACK}:
        return None
    return station.judgement


def _why(station: Station, word: State, now: datetime, now_s: float) -> str:
    rollout = station.rollout
    if word is State.STALE:
        fault = station.telemetry.fault
        age = duration(station.stale_s(now_s) or 0)
        return f"no metrics for {age}{': ' + fault if fault else ''}; forward moves stop"
    if rollout is None or rollout.ended:
        return at_rest(station, word, now)
    if word is State.BACK:
        back = station.work.names(Standing.THERE)
        return f"back to {rollout.stable} ({len(back)} of {len(station.work.standings)} hosts): {rollout.why}"
    if word in {State.WAIT, State.PAUSED, State.BLOCK, State.HOLD}:
        closed = _closed(station, word)
        if closed is not None:
            return _said(closed)
    unheard = next((gate for gate in station.gates if gate.name == "alerts" and gate.answer is not Answer.PASS), None)
    if word is State.BAKE and unheard is not None:
        return _said(unheard)
    if word is State.BAKE and rollout.served.seconds >= station.service.rules.cycle.duration_s:
        # Its time is over: what it still waits for is the news.
        missing = next((gate for gate in station.gates if gate.name == "traffic-cycle"), None)
        if missing is not None and missing.answer is not Answer.PASS:
            return _said(missing)
    if word in {State.BAKE, State.ROLL, State.SETTLE} and station.judgement is not None:
        return f"{_phase_words(rollout, station)}; {differences(station.judgement)}"
    closed = first_closed(station.gates)
    return _said(closed) if closed is not None else rollout.why


def _said(gate: Gate) -> str:
    """The gate's why, under its name where the words alone do not tell what they are about."""
    return gate.why if gate.name in {"promote", "pause", "drift", "hosts", "deploy"} else f"{gate.name}: {gate.why}"


def _closed(station: Station, word: State) -> Gate | None:
    names = {State.WAIT: frozenset({"promote"}), State.PAUSED: frozenset({"pause"}), State.HOLD: UNWELL}.get(word)
    return first_closed(gate for gate in station.gates if names is None or gate.name in names)


def _phase_words(rollout: Rollout, station: Station) -> str:
    rules = station.service.rules
    if rollout.phase is Phase.CANARY_BAKE:
        return f"bake {duration(rollout.served.seconds)} of {duration(rules.cycle.duration_s)}"
    if rollout.phase is Phase.SETTLING:
        return f"settles {duration(rollout.served.seconds)} of {duration(rules.deploy.settle_s)}"
    rule = rules.waves[min(rollout.wave, len(rules.waves)) - 1]
    return f"wave {rollout.wave} of {len(rules.waves)} ({rule})"


def differences(judgement: Judgement, most: int = 2) -> str:
    """The leading metrics' differences with their limits: "errors +0.08pp (limit 0.10pp)"; else the reason."""
    told = [
        metric
        for metric in judgement.metrics
        if metric.difference and metric.counts and metric.verdict is not Verdict.NO_DATA
    ]
    if judgement.verdict is Verdict.NO_DATA or not told:
        return judgement.why
    order = {Verdict.FAIL: 0, Verdict.WATCH: 1}
    worst_first = sorted(told, key=lambda metric: order.get(metric.verdict, 2))
    return ", ".join(f"{metric.key} {metric.difference} (limit {metric.limit})" for metric in worst_first[:most])


def _staging(station: Station) -> StageCell:
    rollout, checks = station.rollout, station.service.rules.checks
    if not station.service.staging:
        return StageCell()
    if rollout is None or rollout.phase in {Phase.ROLLED_BACK, Phase.CANCELLED, Phase.SUPERSEDED, Phase.QUEUED}:
        return StageCell(station.stable)
    passed = sum(check.passed for check in rollout.checks)
    cell = StageCell(rollout.revision, Mark.RUNNING, passed, len(checks))
    if rollout.phase is Phase.STAGING_DEPLOY:
        return cell
    if any(not check.passed for check in rollout.checks):
        return StageCell(cell.revision, Mark.BAD, passed, len(checks))
    done = passed == len(checks) or rollout.phase not in STAGING
    return StageCell(cell.revision, Mark.GOOD if done else Mark.RUNNING, passed, len(checks))


def _canary(station: Station) -> StageCell:
    rollout, of = station.rollout, len(station.service.production)
    if rollout is None or not rollout.canaries or rollout.ended:
        return StageCell()
    if rollout.phase not in CANARY and not (rollout.phase is Phase.ROLLING_BACK and rollout.wave == 0):
        return StageCell(rollout.revision, Mark.GOOD)
    size = len(rollout.canaries)
    mark = Mark.BAD if rollout.phase is Phase.ROLLING_BACK else Mark.RUNNING
    return StageCell(rollout.revision, mark, size, of, size / of)


def _production(station: Station) -> StageCell:
    rollout, hosts = station.rollout, station.service.production
    if rollout is None or rollout.phase not in PRODUCTION:
        return StageCell(station.stable, Mark.GOOD)
    new = len(station.telemetry.on([host.name for host in hosts], rollout.revision))
    return StageCell(rollout.revision, Mark.RUNNING, new, len(hosts), new / len(hosts))


def _progress(station: Station) -> Progress | None:
    rollout, rules = station.rollout, station.service.rules
    if rollout is None:
        return None
    of_s = {
        Phase.CANARY_BAKE: rules.cycle.duration_s,
        Phase.WAVE_SOAK: rules.deploy.soak_s,
        Phase.SETTLING: rules.deploy.settle_s,
    }.get(rollout.phase)
    return None if of_s is None else Progress(min(rollout.served.seconds, of_s), of_s)


def _wait(station: Station, word: State, now: datetime) -> float | None:
    rollout = station.rollout
    if rollout is None or rollout.ended or word in {State.PAUSED, State.WAIT, State.STALE}:
        return None
    if rollout.phase is Phase.CANARY_BAKE:
        return remaining_s(station.service.rules.cycle, rollout.served)
    progress = _progress(station)
    if progress is not None:
        return progress.of_s - progress.done_s
    ends = [gate.until for gate in station.gates if gate.answer is not Answer.PASS and gate.until is not None]
    return max((max(ends) - now).total_seconds(), 0.0) if ends else None


def page(station: Station, now: datetime, now_s: float, tick_s: float) -> ServiceView:
    """The service, whole."""
    service, rollout = station.service, station.rollout
    wanted = targets(service, rollout)
    new = wanted.new
    judge = _judge(station)
    left = sum(host.name not in new for host in service.production)
    control = judge.control if judge is not None else f"{left} production hosts"
    decisions = tuple(event for event in station.events if event.action in DECISIONS)
    return ServiceView(
        at=now,
        row=row(station, now, now_s),
        stable=station.stable,
        control=control,
        panes=station.panes.panes(_judgement(station)),
        gates=station.gates,
        hosts=tuple(_host(station, index, wanted) for index in range(len(service.hosts))),
        timeline=tuple(station.events),
        decisions=decisions,
        waves=tuple(map(str, service.rules.waves)),
        wave=rollout.wave if rollout is not None and not rollout.ended else 0,
        tick_s=tick_s,
        judge=judge,
        alerts=station.firing.alerts[:MOST_ALERTS],
        alerts_fault=_deaf(station.firing),
    )


def _deaf(firing: Firing) -> str:
    """Why nobody knows what fires; "" where the newest question was answered, or nobody is asked."""
    if not firing.fault:
        return ""
    return f"no word from Alertmanager {f'for {duration(firing.silent_s)}' if firing.heard else 'yet'}: {firing.fault}"


def _judge(station: Station) -> JudgeView | None:
    """How the release is, or was, judged."""
    said = _judgement(station)
    if said is None:
        return None
    calibrated, calibration = standing(station.calibration, station.service.rules.judge)
    return JudgeView(
        control=said.control,
        calibration=calibration,
        calibrated=calibrated,
        looks=said.looks,
        evidence=said.evidence,
        alpha=said.alpha,
        alpha_spent=said.alpha_spent,
        warmup=said.warmup,
        caveats=said.caveats,
        alerts=said.alerts,
    )


def _host(station: Station, index: int, wants: Targets) -> HostLine:
    service = station.service
    host = service.hosts[index]
    now = station.telemetry.seen.get(host.name)
    new = wants.new
    track = track_of(service, new, host.name, wants.beside)
    if host.name in station.open:
        revision = now.revision if isinstance(now, HostState) else ""
        told = station.open[host.name]
        do = "restart on" if is_restart(told.operation, host.name) else "run"
        return HostLine(host.name, host.datacenter, track, Mark.RUNNING, revision, f"told to {do} {told.revision}")
    if not isinstance(now, HostState):
        why = now.why if now is not None else "not asked yet"
        return HostLine(host.name, host.datacenter, track, Mark.UNKNOWN, "", why)
    wanted = station.rollout.revision if station.rollout and host.name in new else station.stable
    allowed = {wanted, station.rollout.revision} if station.rollout and host.pool is Pool.STAGING else {wanted}
    if not now.healthy:
        mark = Mark.BAD if now.down else Mark.RUNNING if now.settling else Mark.UNKNOWN
        return HostLine(host.name, host.datacenter, track, mark, now.revision, now.detail or "not healthy")
    if now.revision not in allowed:
        return HostLine(host.name, host.datacenter, track, Mark.UNKNOWN, now.revision, f"should run {wanted}")
    # Of a canary host it matters what else is so: that a person keeps it out of the traffic, say.
    said = now.detail if track is Track.CANARY else ""
    return HostLine(host.name, host.datacenter, track, Mark.GOOD, now.revision, said)


def production_waves(station: Station, rollout: Rollout) -> str:
    """The way that lies ahead, as a dialog says it: "fra1 40%, region:eu 70%, 100%"."""
    service, rules = station.service, station.service.rules
    cuts = in_waves(service.production, rules.waves, rollout.canaries, rules.canary.stratify, rollout.seed)
    of = max(len(service.production), 1)
    return ", ".join(
        f"{wave} ({len(cut) / of:.0%})" if wave.kind else str(wave) for wave, cut in zip(rules.waves, cuts, strict=True)
    )
