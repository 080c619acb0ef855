"""A service, whole: its page, as the controller works it out."""

from datetime import datetime

from pipeline.alerts import Firing
from pipeline.judge.calibration import standing
from pipeline.lifecycle import Rollout
from pipeline.measured.telemetry import track_of
from pipeline.model import Pool, Track
from pipeline.observed import HostState
from pipeline.placement import in_waves
from pipeline.release.hostwork import is_restart
from pipeline.release.targets import Targets, targets
from pipeline.service.station import Station
from pipeline.showing.present import judgement_of, row
from pipeline.view import (
    MOST_ALERTS,
    HostLine,
    JudgeView,
    Mark,
    ServiceView,
)
from pipeline.words import duration

DECISIONS = frozenset({"look", "alert", "gate", "canary", "rollback", "restored", "wave", "staging", "settled"})


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
        panes=station.panes.panes(judgement_of(station)),
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
    said = judgement_of(station)
    if said is None:
        return None
    calibrated, calibration = standing(station.calibration, station.service.rules.judge)
    return JudgeView.of(said, calibration, calibrated=calibrated)


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
