"""From a station to its row: the state word, the why, the cells."""

from dataclasses import replace
from datetime import datetime

from pipeline.gates import AT_THE_DOOR, LOCKS, UNWELL, Answer, Gate, first_closed
from pipeline.judge.verdict import Judgement, MetricVerdict, Verdict
from pipeline.judge.wording import limited
from pipeline.lifecycle import CANARY, PRODUCTION, STAGING, Phase, Rollout
from pipeline.release.admission import until
from pipeline.release.hostwork import Standing
from pipeline.service.station import Station
from pipeline.showing.resting import at_rest, pays_back, stays_out, trouble
from pipeline.traffic_cycle import furthest_behind, remaining_s
from pipeline.view import (
    Budget,
    Deploy,
    Mark,
    Progress,
    ServiceRow,
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
_DOORS = frozenset({Phase.STAGING_CHECKS, Phase.CANARY_BAKE, Phase.WAVE_SOAK})
"""Phases that end at a door."""
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


def row(station: Station, now: datetime, now_s: float) -> ServiceRow:
    """The service on one line."""
    service, rollout = station.service, station.rollout
    word = state(station, now, now_s)
    judgement = judgement_of(station)
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
        # A payback goes on for months: it waits behind what wants a person now.
        attention=(_RANK[State.LOCK] if word is State.BLOCK and not moves else rank) * 10 + min(service.tier, 9),
        watched=watched and word is not State.LOCK,
        release=rollout.id if rollout is not None and not rollout.ended else "",
        revision=rollout.revision if rollout is not None and not rollout.ended else "",
        version=rollout.version if rollout is not None else 0,
        progress=_progress(station),
        alerts=len(station.firing.alerts),
        incident=_incident(station),
        glass=_glass(station, now),
        security_fix=_security_fix(station, now),
        readiness=_readiness(station),
        lock=_lock(station, now),
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


def _security_fix(station: Station, now: datetime) -> str:
    its = station.docket.security_fix_in_force(now)
    if its is None:
        return ""
    who = f"{its.by}, approved by {its.approved_by}"
    return f"{its.revision} ({its.advisory}) until {its.ends:%Y-%m-%d %H:%M} UTC by {who}"


def _readiness(station: Station) -> str:
    its = station.ready
    return "" if its is None else f"{len(its.rows) - len(its.missing)}/{len(its.rows)}"


def _lock(station: Station, now: datetime) -> str:
    newest = next(reversed(station.docket.locks_on(now)), None)
    if newest is None:
        return ""
    return newest.by if newest.ends is None else f"{newest.by} until {newest.ends.day} {newest.ends:%b %H:%M}Z"


def state(station: Station, now: datetime, now_s: float) -> State:
    """The one word. Going back comes before all else; unknown before anything that looks well."""
    rollout = station.rollout
    if rollout is None or rollout.ended:
        if stays_out(station) or station.docket.locks_on(now):
            return State.LOCK
        if station.stale_s(now_s) is not None:
            return State.STALE
        if trouble(station):
            return State.HOLD
        return State.BLOCK if pays_back(station) else State.STEADY
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
    return State.BLOCK if _shut_out(station) is not None else _PHASES[rollout.phase]


def _shut_out(station: Station) -> Gate | None:
    """What keeps a release at a door that it would go through by now; a lock, also of one that is not there yet."""
    if station.rollout is None or station.rollout.phase not in _DOORS:
        return None
    closed = [gate for gate in station.gates if gate.answer is not Answer.PASS]
    waits = any(gate.name not in AT_THE_DOOR | {"promote"} for gate in closed)
    return first_closed(gate for gate in closed if gate.name in (LOCKS if waits else AT_THE_DOOR))


def judgement_of(station: Station) -> Judgement | None:
    """The newest verdict that still has to do with where the release is."""
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
    shut_out = _shut_out(station) if word is State.BLOCK else None
    if shut_out is not None:
        own = f"; {_phase_words(rollout, station)}" if _missing_s(station) else ""
        return f"{_said(shut_out)}{own}"
    if word in {State.WAIT, State.PAUSED, State.BLOCK, State.HOLD}:
        closed = _closed(station, word)
        if closed is not None:
            return _said(closed)
    unheard = next((gate for gate in station.gates if gate.name == "alerts" and gate.answer is not Answer.PASS), None)
    if word is State.BAKE and unheard is not None:
        return _said(unheard)
    if word is State.BAKE and rollout.served.seconds >= station.service.rules.cycle.duration_s:
        # Its time is over: what it still waits for is the news.
        served = (gate for gate in station.gates if gate.name in {"traffic-cycle", "canary-traffic"})
        missing = next((gate for gate in served if gate.answer is not Answer.PASS), None)
        if missing is not None:
            return _said(missing)
    if word in {State.BAKE, State.ROLL, State.SETTLE} and station.judgement is not None:
        return f"{_phase_words(rollout, station)}; {differences(station.judgement)}"
    closed = first_closed(station.gates)
    return _said(closed) if closed is not None else rollout.why


_SELF_EVIDENT = frozenset({"promote", "pause", "drift", "balancer", "hosts", "deploy"})


def _said(gate: Gate) -> str:
    """The gate's why, under its name where the words alone do not tell what they are about."""
    return gate.why if gate.name in _SELF_EVIDENT else f"{gate.name}: {gate.why}"


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
    return ", ".join(f"{metric.key} {metric.difference}{_limit(metric)}" for metric in worst_first[:most])


def _limit(metric: MetricVerdict) -> str:
    return limited(metric.limit, metric.effect, metric.limit_at, passes=metric.verdict is Verdict.PASS)


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
    if rollout.phase is Phase.CANARY_BAKE:
        return Progress(*furthest_behind(rules.cycle, rollout.served))
    of_s = {Phase.WAVE_SOAK: rules.deploy.soak_s, Phase.SETTLING: rules.deploy.settle_s}.get(rollout.phase)
    return None if of_s is None else Progress(min(rollout.served.seconds, of_s), of_s)


def _missing_s(station: Station) -> float | None:
    """What its stage still takes; None of one that takes no time of its own."""
    rollout = station.rollout
    if rollout is not None and rollout.phase is Phase.CANARY_BAKE:
        return remaining_s(station.service.rules.cycle, rollout.served)
    progress = _progress(station)
    return None if progress is None else progress.of - progress.done


def _wait(station: Station, word: State, now: datetime) -> float | None:
    rollout = station.rollout
    if rollout is None or rollout.ended or word in {State.PAUSED, State.WAIT, State.STALE}:
        return None
    shut_out = _shut_out(station) if word is State.BLOCK else None
    if shut_out is not None:
        # Where no end is known, what is left of its own time says nothing.
        return (
            None if shut_out.until is None else max((shut_out.until - now).total_seconds(), _missing_s(station) or 0.0)
        )
    missing_s = _missing_s(station)
    if missing_s:
        return missing_s
    ends = [gate.until for gate in station.gates if gate.answer is not Answer.PASS and gate.until is not None]
    return max((max(ends) - now).total_seconds(), 0.0) if ends else None
