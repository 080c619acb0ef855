"""A synthetic service of the size of a real one: what the generator takes from configuration and recorded history."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipeline.expression import parsed
from pipeline.judge.look import Recorded
from pipeline.model import JudgeRules, MetricKind, MetricRule, Service
from pipeline.placement import canary_size
from pipeline.rehearsal.profile import DAY_S, HOUR_S, METRICS, Profile
from pipeline.signals import Histogram, Sample, pool, quantile
from pipeline.words import some

MOST_LOOKS = 480
FEW_ERRORS = 100.0
"""Of a host and hour: with fewer, a day of history is looked at."""
SIGNALS = frozenset({"requests", "errors", "latency", "cpu", "memory"})
"""What a synthetic host tells."""
MADE_UP = Profile("made-up", 20, 2, 2, 15.0, MOST_LOOKS, rps=10.0, error_ratio=0.005)
HISTOGRAMS = frozenset({MetricKind.QUANTILE, MetricKind.SHARE})


@dataclass(frozen=True, slots=True)
class Sized:
    profile: Profile
    rules: JudgeRules
    notes: tuple[str, ...] = ()
    """What is not as in the real service, a sentence each."""


def served(before: Sample | None, recorded: Iterable[Recorded]) -> Sample | None:
    """`before` and what all hosts did in these stretches; None of nothing."""
    samples = [host.sample for each in recorded for host in each.look.hosts.values()]
    known = ([before] if before is not None else []) + samples
    return pool(known) if known else None


def sized(service: Service, tick_s: float, traffic: Sample | None) -> Sized:
    """A profile as large as `service`, and its judge's rules as far as the generator has their signals.

    Raises:
        ValueError: the service has no production host to hold a canary against.
    """
    hosts, notes = service.production, []
    planned = max(round(service.rules.cycle.duration_s / tick_s), 1)
    if planned > MOST_LOOKS:
        notes.append(f"a canary has {planned:,} looks; {MOST_LOOKS} of them are simulated: say --looks for more")
    rules, left_out = judged(service)
    if left_out:
        notes.append(f"not simulated, for want of such signals: {some(left_out)}")
    if not any(metric.judged for metric in rules.metrics):
        notes.append("none of its metrics can be simulated: the standard ones are")
        rules = replace(rules, metrics=METRICS)
    profile = replace(
        MADE_UP,
        name=service.name,
        hosts=len(hosts),
        canaries=canary_size(len(hosts), service.rules.canary.share),
        datacenters=max(len({host.datacenter for host in hosts}), 1),
        tick_s=tick_s,
        looks=min(planned, MOST_LOOKS),
        objective=float(service.rules.budget.objective),
    )
    measured = _measured(service, profile, traffic) if traffic is not None else profile
    if measured is profile:
        notes.append(
            f"nothing usable is recorded yet: made up are {profile.rps:g} requests a second and host, "
            f"{profile.error_ratio:.1%} errors, {1000 * profile.latency_s:.0f} ms"
        )
    return Sized(with_history(measured), rules, tuple(notes))


def _measured(service: Service, profile: Profile, seen: Sample) -> Profile:
    """`profile` with the traffic that was recorded; `profile` itself where that says nothing."""
    budget = service.rules.budget
    requests, bad = seen.counters.get(budget.total, 0.0), seen.counters.get(budget.bad, 0.0)
    if not (seen.host_s > 0 and requests > 0 and math.isfinite(requests)):
        return profile
    # Half an error where there was none: a rate of exactly 0 could not grow.
    ratio = min(max(bad, 0.5) / requests, 0.5)
    profile = replace(profile, rps=requests / seen.host_s, error_ratio=ratio)
    names = [metric.of for metric in service.rules.judge.metrics if metric.kind in HISTOGRAMS]
    histogram = next((seen.histograms[name] for name in names if name in seen.histograms), None)
    return profile if histogram is None else _with_latency(profile, histogram)


def _with_latency(profile: Profile, histogram: Histogram) -> Profile:
    median, slow = quantile(histogram, 0.5), quantile(histogram, 0.99)
    edges = histogram.edges
    usable = len(edges) > 1 and edges[-1] == math.inf and edges[0] > 0
    if not usable or not median or not slow or slow <= median:
        return profile
    spread = math.log(slow / median) / math.log(99)
    return replace(profile, latency_s=median, latency_spread=spread, edges=edges, canary_edges=edges)


def with_history(profile: Profile) -> Profile:
    """An hour before the release, or a day where errors are few."""
    if profile.rps * HOUR_S * profile.error_ratio >= FEW_ERRORS:
        return replace(profile, history_s=HOUR_S, history_step_s=60.0)
    return replace(profile, history_s=DAY_S, history_step_s=300.0)


def judged(service: Service) -> tuple[JudgeRules, list[str]]:
    """The service's rules with the generator's signals in the place of its own, and the metrics that have none."""
    kept, left_out = [], []
    for rule in service.rules.judge.metrics:
        made = _made(rule, service)
        if made is not None:
            kept.append(made)
        elif rule.judged:
            left_out.append(rule.key)
    return replace(service.rules.judge, metrics=tuple(kept)), left_out


def _made(rule: MetricRule, service: Service) -> MetricRule | None:
    budget = service.rules.budget
    if rule.kind is MetricKind.RATIO:
        ours = (rule.bad, rule.total) == (budget.bad, budget.total)
        return replace(rule, bad="errors", total="requests") if ours else None
    if rule.kind in HISTOGRAMS:
        return replace(rule, of="latency")
    if rule.kind is MetricKind.RATE:
        return replace(rule, of="requests") if rule.of == budget.total else None
    if rule.kind is MetricKind.GAUGE:
        name = next((signal for signal in ("cpu", "mem") if signal in (rule.of + rule.key).lower()), "")
        return replace(rule, of="memory" if name == "mem" else name) if name else None
    if rule.kind is MetricKind.EXPRESSION:
        return rule if set(parsed(rule.expression).names) <= SIGNALS else None
    return rule
