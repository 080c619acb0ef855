"""Production as one sample: what a release is held against where no other host is left, or none was there at all."""

from collections.abc import Mapping
from itertools import accumulate

from pipeline.judge.quantities import tail_of
from pipeline.judge.trial import Reference
from pipeline.model import JudgeRules, MetricKind, MetricRule
from pipeline.signals import Histogram, Sample, value

LEAST_REQUESTS = 50.0


def references(rules: JudgeRules, sample: Sample) -> Mapping[str, Reference]:
    """By metric, of those that are shares of requests; what the sample does not show is left out."""
    found = {rule.key: _reference(rule, sample) for rule in rules.metrics if rule.judged}
    return {key: reference for key, reference in found.items() if reference is not None}


def _reference(rule: MetricRule, sample: Sample) -> Reference | None:
    if rule.kind is MetricKind.QUANTILE:
        histogram = sample.histograms.get(rule.of)
        return None if histogram is None else _tail(rule, histogram)
    if rule.kind not in {MetricKind.RATIO, MetricKind.SHARE}:
        return None
    share = value(rule, sample)
    return None if share is None else Reference(share)


def _tail(rule: MetricRule, histogram: Histogram) -> Reference | None:
    cumulative = tuple(accumulate(histogram.counts))
    if not cumulative or cumulative[-1] < LEAST_REQUESTS:
        return None
    tail = tail_of(rule.q, rule.tolerance, histogram.edges, cumulative)
    beyond = sum(count for edge, count in zip(histogram.edges, histogram.counts, strict=True) if edge > tail.edge)
    return Reference(beyond / cumulative[-1], tail.edge, tail.allowance)
