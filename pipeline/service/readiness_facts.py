"""What the controller has at hand of a service, as the readiness list asks for it."""

from pipeline.expression import parsed
from pipeline.measured.telemetry import Telemetry
from pipeline.model import MetricKind, MetricRule, Pool, Service
from pipeline.readiness.facts import ReadinessFacts
from pipeline.readiness.past import Past
from pipeline.readiness.seen import Seen
from pipeline.service.station import Station
from pipeline.signals import Sample, pool

Lacking = tuple[tuple[Pool, str], ...]


def gathered(station: Station, past: Past, lacking: Lacking | None, build: str, seen: Seen) -> ReadinessFacts:
    """`lacking` as it was found last; `build` is what the list is about."""
    report = station.report
    # In its first days the last 24 h are all that there is.
    of_a_day = report.slos[0].coverage if report is not None and report.slos else None
    return ReadinessFacts(
        releases=tuple(station.past),
        peak_rps=past.peak_rps,
        coverage_7d=past.coverage_7d if past.coverage_7d is not None else of_a_day,
        lacking=lacking,
        peak_days=past.peak_days,
        cpu=past.cpu,
        memory=past.memory,
        budget=report,
        build=build,
        callers=past.callers,
        seen=seen,
    )


def lacking(service: Service, telemetry: Telemetry) -> Lacking | None:
    """Metrics without a signal, by pool; None where the metrics were not read in this tick.

    An idle host has no error rate, but it has the counters: it lacks nothing.
    """
    if not telemetry.measured or not telemetry.samples:
        return None
    found: list[tuple[Pool, str]] = []
    for where, hosts in ((Pool.STAGING, service.staging), (Pool.PRODUCTION, service.production)):
        samples = [telemetry.samples[host.name] for host in hosts if host.name in telemetry.samples]
        seen = pool(samples) if samples else Sample()
        found += [(where, rule.key) for rule in service.rules.judge.metrics if not _signals(rule) <= _names(seen)]
    return tuple(found)


def _names(sample: Sample) -> frozenset[str]:
    return frozenset((*sample.counters, *sample.gauges, *sample.histograms))


def _signals(rule: MetricRule) -> frozenset[str]:
    """What it is worked out of."""
    if rule.kind is MetricKind.RATIO:
        return frozenset({rule.bad, rule.total})
    if rule.kind is MetricKind.RESTARTS:
        return frozenset()
    if rule.kind is MetricKind.EXPRESSION:
        return frozenset(parsed(rule.expression).names)
    return frozenset({rule.of})
