"""What is wrong with a service's production now, as far as anything that watches it says."""

from pipeline.alerts import told
from pipeline.judge.verdict import Verdict
from pipeline.lifecycle import PRODUCTION, Phase
from pipeline.model import Track
from pipeline.service.station import Station
from pipeline.service.wellness import unwell
from pipeline.slo.report import Alarm

ELSEWHERE = frozenset(track.value for track in Track if track is not Track.PRODUCTION)


def unhealthy(station: Station) -> str:
    """One line; "" where nothing is known to be wrong."""
    return _hosts(station) or _judged(station) or _burning(station) or _alerted(station)


def _hosts(station: Station) -> str:
    found = unwell([host.name for host in station.service.production], station.telemetry.seen)
    return found.said() if found.count > station.service.rules.deploy.max_unreachable else ""


def _judged(station: Station) -> str:
    """The newest verdict, while what it is about serves everybody: a canary that failed is gone again."""
    rollout, judgement = station.rollout, station.judgement
    if rollout is None or judgement is None or judgement.verdict is not Verdict.FAIL:
        return ""
    going_back = rollout.phase is Phase.ROLLING_BACK and rollout.wave > 0
    in_production = rollout.phase in PRODUCTION | {Phase.SETTLED} or going_back
    return f"{rollout.revision} was judged FAIL: {judgement.why}" if in_production else ""


def _burning(station: Station) -> str:
    for slo in station.report.slos if station.report is not None else ():
        for pair in slo.burn:
            if pair.fires and pair.alarm is Alarm.PAGE and pair.long is not None:
                return f"its {slo.name} budget burns {pair.long:.1f} times too fast"
    return ""


def _alerted(station: Station) -> str:
    grave = {severity.casefold() for severity in station.service.rules.failing_alerts}
    found = (one for one in station.firing.alerts if one.severity.casefold() in grave)
    alert = next((one for one in found if one.track.casefold() not in ELSEWHERE), None)
    return f"alert {told(alert)}" if alert is not None else ""
