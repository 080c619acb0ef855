"""What a trial's arithmetic needs, worked out once: who is who, what is counted, how the error rate is shared out.

Hosts stand in one order: canary, baseline, production. A stratum is a datacenter: a canary host is compared at the
same moment with the control hosts of its own stratum. Where a canary has no control host beside it, all
datacenters are one stratum.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pipeline.expression import Expression, parsed
from pipeline.judge.columns import Bools, Floats
from pipeline.judge.look import Group
from pipeline.judge.trial import MetricPrior, Prior, Trial
from pipeline.model import Control, MetricKind, MetricRule, Worse

COUNTED = frozenset({MetricKind.RATIO, MetricKind.QUANTILE, MetricKind.SHARE, MetricKind.RATE, MetricKind.RESTARTS})
"""Kinds that count events against what was expected; the others are levels."""
TAILS = frozenset({MetricKind.QUANTILE})
REQUESTS = frozenset({MetricKind.RATIO, MetricKind.QUANTILE, MetricKind.SHARE})
"""Kinds whose evidence is a number of requests."""
SHARES_OF_ALPHA: Mapping[MetricKind, float] = {
    MetricKind.RATIO: 0.30,
    MetricKind.QUANTILE: 0.16,
    MetricKind.SHARE: 0.16,
    MetricKind.RATE: 0.10,
    MetricKind.GAUGE: 0.10,
    MetricKind.EXPRESSION: 0.10,
    MetricKind.RESTARTS: 0.08,
}
"""How the error rate is shared between metrics, before it is scaled to a sum of 1."""
RATIO_SLACK = 0.10
"""A share of requests this much larger, relatively, is no regression whatever the tolerance says."""
RESTART_SLACK = 2.0
UNPAIRED = 2.0
"""Against production as it was, not as it is: a share of requests must be more than this many times larger."""
LEAST_CONTROLS = 3
LEAST_FOR_OUTLIER = 3
"""Canary hosts from which on one alone cannot fail a release."""
NOMINAL = 5.0
"""Leaving the worst host out costs so much evidence that the nominal rate may be this many times the configured
one: measured, see tests/bench/judge."""


@dataclass(frozen=True, slots=True)
class Cold:
    """How much worse than others a process is right after its start: factor 1 + size * exp(-age / fade_s)."""

    size: float
    fade_s: float


COLD_COUNTS: Mapping[tuple[Control, MetricKind], float] = {
    (Control.BASELINE, MetricKind.RATIO): 0.8,
    (Control.BASELINE, MetricKind.QUANTILE): 0.5,
    (Control.BASELINE, MetricKind.SHARE): 0.5,
    (Control.BASELINE, MetricKind.RATE): 0.5,
    (Control.PRODUCTION, MetricKind.RATIO): 8.0,
    (Control.PRODUCTION, MetricKind.QUANTILE): 40.0,
    (Control.PRODUCTION, MetricKind.SHARE): 40.0,
    (Control.PRODUCTION, MetricKind.RATE): 3.0,
}
COLD_LEVELS: Mapping[Control, float] = {Control.BASELINE: 0.3, Control.PRODUCTION: 1.0}
"""In logarithms; memory's is smaller, but it is judged against hosts of its own age."""
FADES = {Control.BASELINE: 5.0, Control.PRODUCTION: 4.5}
"""Of the warm-up: by its end a cold start has faded to e^-5 or e^-4.5."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A judged metric with all that is known of it before the first look."""

    rule: MetricRule
    share: float
    """Of the error rate."""
    cold: Cold
    prior: MetricPrior
    expression: Expression | None = None

    @property
    def sign(self) -> float:
        return 1.0 if self.rule.worse is Worse.HIGHER else -1.0


@dataclass(frozen=True, eq=False)
class Plan:
    trial: Trial
    prior: Prior
    hosts: tuple[str, ...]
    groups: tuple[str, ...]
    counts: tuple[Metric, ...]
    levels: tuple[Metric, ...]
    stratum: tuple[int, ...]
    """By host."""
    merged: bool
    """All datacenters are one stratum, since a canary has no control beside it."""
    unpaired: bool
    """Too few hosts are left to compare with: production as it was is what is compared with."""

    @cached_property
    def canaries(self) -> int:
        return len(self.trial.canary)

    @cached_property
    def few(self) -> str:
        """Why nothing beside the canary is compared with, where that is so: "2 production hosts are too few ..."."""
        left = len(self.hosts) - self.canaries
        if not left:
            return "no production host is left beside it"
        kind = "control" if self.baselines else "production"
        return f"{left} {kind} {'host is' if left == 1 else 'hosts are'} too few to compare with"

    @cached_property
    def baselines(self) -> int:
        return len(self.trial.baseline)

    @cached_property
    def strata(self) -> int:
        return max(self.stratum, default=0) + 1

    @cached_property
    def in_stratum(self) -> Floats:
        """(hosts, strata), 1 where the host is in the stratum."""
        table = np.zeros((len(self.hosts), self.strata))
        table[np.arange(len(self.hosts)), list(self.stratum)] = 1.0
        return table

    @cached_property
    def canary_in_stratum(self) -> Floats:
        """(canaries, strata)"""
        return self.in_stratum[: self.canaries]

    @cached_property
    def mine(self) -> Bools:
        """(hosts,): the canaries."""
        return np.arange(len(self.hosts)) < self.canaries

    @cached_property
    def beside(self) -> Bools:
        """(hosts,): those of the baseline."""
        return ~self.mine & (np.arange(len(self.hosts)) < self.canaries + self.baselines)

    @cached_property
    def of_restarts(self) -> Bools:
        """(counts, 1)"""
        return np.array([metric.rule.kind is MetricKind.RESTARTS for metric in self.counts])[:, None]

    @cached_property
    def tolerant(self) -> Bools:
        """(counts, 1): quantiles with a tolerance; how many requests that is, the control of the moment says."""
        return np.array([metric.rule.kind in TAILS and metric.rule.tolerance > 0 for metric in self.counts], bool)[
            :, None
        ]

    @cached_property
    def aged(self) -> Bools:
        """(levels, 1): whether a level is held against hosts of the canary's own age alone."""
        return np.array([metric.rule.with_age and self.baselines > 0 for metric in self.levels], bool)[:, None]

    @cached_property
    def rates(self) -> Floats:
        """(counts, 1): of production as it was; NaN where that is not known."""
        before = [self.trial.reference.get(metric.rule.key) for metric in self.counts]
        return np.array([one.rate if one is not None else np.nan for one in before])[:, None]

    @cached_property
    def effects(self) -> Floats:
        """(counts, hosts): what each host has more of than its datacenter, as a factor; 1 where that is not known."""
        return np.array(
            [[metric.prior.effects.get(host, 1.0) for host in self.hosts] for metric in self.counts]
        ).reshape(len(self.counts), len(self.hosts))

    @cached_property
    def shifts(self) -> Floats:
        """(levels, hosts): the same of levels, in logarithms."""
        return np.array(
            [[metric.prior.effects.get(host, 0.0) for host in self.hosts] for metric in self.levels]
        ).reshape(len(self.levels), len(self.hosts))

    @cached_property
    def count_signs(self) -> Floats:
        return np.array([metric.sign for metric in self.counts])

    @cached_property
    def level_signs(self) -> Floats:
        return np.array([metric.sign for metric in self.levels])

    @cached_property
    def level_limits(self) -> Floats:
        """(levels,): logarithm of what a canary may have over its control."""
        return np.array(
            [
                math.log(max(1 - metric.rule.tolerance, 0.05))
                if metric.rule.worse is Worse.LOWER
                else math.log(1 + metric.rule.tolerance)
                for metric in self.levels
            ]
        )

    @cached_property
    def control(self) -> Control:
        return Control.BASELINE if self.trial.baseline else Control.PRODUCTION

    @cached_property
    def outliers(self) -> bool:
        """Whether one host alone cannot fail the release."""
        return self.canaries >= LEAST_FOR_OUTLIER

    @cached_property
    def alpha(self) -> float:
        """Nominal error rate of the whole trial."""
        configured = self.trial.rules.false_rollback * self.trial.share
        return min(configured * NOMINAL, 0.5) if self.outliers else configured

    @cached_property
    def scales(self) -> int:
        """Windows of 1, 2, 4 ... looks, up to the planned length."""
        return int(math.log2(max(self.trial.looks, 1))) + 1


def plan(trial: Trial, prior: Prior) -> Plan:
    hosts = (*trial.canary, *trial.baseline, *trial.production)
    groups = (
        *(Group.CANARY.value for _ in trial.canary),
        *(Group.BASELINE.value for _ in trial.baseline),
        *(Group.PRODUCTION.value for _ in trial.production),
    )
    controls = trial.baseline + trial.production
    beside = {trial.datacenters.get(name, "") for name in controls}
    unpaired = len(controls) < LEAST_CONTROLS and bool(trial.reference)
    merged = unpaired or any(trial.datacenters.get(name, "") not in beside for name in trial.canary)
    places = [""] if merged else sorted({trial.datacenters.get(name, "") for name in hosts})
    stratum = tuple(0 if merged else places.index(trial.datacenters.get(name, "")) for name in hosts)
    metrics = _metrics(trial, prior)
    return Plan(
        trial=trial,
        prior=prior,
        hosts=hosts,
        groups=groups,
        counts=tuple(metric for metric in metrics if metric.rule.kind in COUNTED),
        levels=tuple(metric for metric in metrics if metric.rule.kind not in COUNTED),
        stratum=stratum,
        merged=merged,
        unpaired=unpaired,
    )


def _metrics(trial: Trial, prior: Prior) -> list[Metric]:
    rules = [rule for rule in trial.rules.metrics if rule.judged]
    weights = [SHARES_OF_ALPHA[rule.kind] for rule in rules]
    control = Control.BASELINE if trial.baseline else Control.PRODUCTION
    fade_s = max(trial.rules.cold_s / FADES[control], 1e-9)
    return [
        Metric(
            rule,
            weight / sum(weights),
            Cold(_cold(rule, trial, control), fade_s),
            _known(trial, prior, rule),
            parsed(rule.expression) if rule.kind is MetricKind.EXPRESSION else None,
        )
        for rule, weight in zip(rules, weights, strict=True)
    ]


def _known(trial: Trial, prior: Prior, rule: MetricRule) -> MetricPrior:
    """What is known of a metric; where history is silent, the tail that production was measured by before."""
    known, before = prior.metrics.get(rule.key, MetricPrior()), trial.reference.get(rule.key)
    if known.edge is None and before is not None and before.edge is not None:
        return replace(known, edge=before.edge, allowance=before.allowance)
    return known


def _cold(rule: MetricRule, trial: Trial, control: Control) -> float:
    if rule.kind in COUNTED:
        size = COLD_COUNTS.get((control, rule.kind), 0.0)
        if rule.kind is MetricKind.QUANTILE and rule.q < 0.95:
            # A fatter tail has less room to grow.
            size *= 0.625 if control is Control.BASELINE else 0.3
    else:
        size = COLD_LEVELS[control]
    # Beside as many restarted hosts only their difference is left, and that shrinks with their number.
    return size / math.sqrt(max(len(trial.canary), 1)) if control is Control.BASELINE else size
