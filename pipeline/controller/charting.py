"""A tick's samples, put into the charts of a service's page."""

from pipeline.release.targets import targets
from pipeline.service.station import Station


def chart(station: Station, now_s: float) -> None:
    """Of a release the hosts on its revision that are past their start beside the others; else production as one."""
    if not station.active:
        total = station.telemetry.total
        station.panes.add(now_s, {}, {"production": total} if total.host_s else {})
        return
    new = targets(station.service, station.rollout).new
    samples = station.telemetry.samples
    production = {host.name for host in station.service.production}
    started = [name for name in samples if name in new and name in production]
    canary = {name: samples[name] for name in station.telemetry.past_start(started, now_s)}
    others = {name: samples[name] for name in samples if name not in new and name in production}
    station.panes.add(now_s, canary, others, station.judgement)
