"""The organisation's rules, and a service's own on top of them."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from adapters.config import budgets, checks, emergency, readiness, staging
from adapters.config.errors import Spot
from adapters.config.schema import Values
from adapters.config.signals import COUNTER, HISTOGRAM, LEVEL, Signals
from adapters.config.values import either
from adapters.metrics.source import SignalKind
from pipeline.expression import parsed
from pipeline.model import Freeze, MetricKind, MetricRule, Rules

PARTS = (
    *("promotions", "canary", "cycle", "deploy", "judge", "frequency"),
    *("budget", "payback", "coverage", "emergency"),
)
"""Sections whose values are the fields of the part of `Rules` with the same name."""

NEEDED: Mapping[MetricKind, Mapping[str, Collection[SignalKind]]] = {
    MetricKind.RATIO: {"bad": COUNTER, "total": COUNTER},
    MetricKind.QUANTILE: {"of": HISTOGRAM},
    MetricKind.SHARE: {"of": HISTOGRAM, "over": ()},
    MetricKind.RATE: {"of": COUNTER},
    MetricKind.GAUGE: {"of": LEVEL},
    MetricKind.RESTARTS: {},
    MetricKind.EXPRESSION: {"expression": ()},
}
"""What a metric is worked out from; with the kinds of signals that will do, where it is a signal."""
OPTIONAL: Mapping[str, MetricKind] = {"q": MetricKind.QUANTILE}
LEVELS = (MetricKind.GAUGE, MetricKind.EXPRESSION)
ABSOLUTE = (MetricKind.RATIO, MetricKind.SHARE)
"""Their unit and their tolerance are ratios."""
SOURCES = frozenset(OPTIONAL).union(*NEEDED.values())
"""Keys that belong to some kinds only."""


def layered(base: Rules, said: Values, signals: Signals, spot: Spot) -> Rules:
    """`base` with what `said` says instead; what does not go together is reported."""
    rules = replace(base, **{part: replace(getattr(base, part), **said[part]) for part in PARTS if part in said})
    metrics = _metrics(base.judge.metrics, said.get("metrics", {}), signals, spot / "metrics")
    emergency.check(rules.emergency, said.get("emergency", {}), spot / "emergency")
    return replace(
        rules,
        waves=said.get("waves", base.waves),
        judge=replace(rules.judge, metrics=metrics),
        checks=checks.layered(base.checks, said.get("checks", {}), spot / "checks"),
        slos=budgets.slos(base, said.get("slos", {}), rules.budget.slice_s, spot / "slos"),
        staging=staging.layered(base.staging, said.get("staging", {}), spot / "staging"),
        readiness=readiness.layered(base.readiness, said.get("readiness", {})),
        freezes=base.freezes + _freezes(said.get("freeze", {}), spot / "freeze"),
        failing_alerts=frozenset(said.get("alerts", {}).get("fail", base.failing_alerts)),
    )


def _metrics(
    base: tuple[MetricRule, ...], said: Mapping[str, Values], signals: Signals, spot: Spot
) -> tuple[MetricRule, ...]:
    rules = {rule.key: rule for rule in base}
    for key, values in said.items():
        at = spot / key
        old = rules.get(key)
        if old is None and "kind" not in values:
            at.wrong(f'"kind" is missing: expected {either(MetricKind)}')
            continue
        kind = values["kind"] if old is None else values.get("kind", old.kind)
        if old is None or kind is not old.kind:
            unit = "ratio" if kind in ABSOLUTE else "/h" if kind is MetricKind.RESTARTS else ""
            old = MetricRule(key, old.title if old else key, kind, unit=unit)
        rule = replace(old, **values)
        _check_metric(rule, values, signals, at)
        rules[key] = rule
    return tuple(rules.values())


def _check_metric(rule: MetricRule, values: Values, signals: Signals, spot: Spot) -> None:
    needed = NEEDED[rule.kind]
    whole = f"a metric of kind {rule.kind} is worked out from {' and '.join(needed) or 'no signal'}"
    for key, kinds in needed.items():
        if not getattr(rule, key):
            spot.wrong(f'"{key}" is missing: {whole}')
        elif kinds:
            signals.check(getattr(rule, key), kinds, spot / key)
    for key in values:
        if key in SOURCES and key not in needed and OPTIONAL.get(key) is not rule.kind:
            (spot / key).wrong(f"does not belong here: {whole}")
    if rule.kind is MetricKind.EXPRESSION and rule.expression:
        for name in parsed(rule.expression).names:
            signals.check(name, LEVEL, spot / "expression")
    if rule.kind in ABSOLUTE and rule.tolerance > 1:
        (spot / "tolerance").wrong(f"expected 0 to 1 for a {rule.kind}, got {rule.tolerance:g}")
    if values.get("with_age") and rule.kind not in LEVELS:
        (spot / "with_age").warn("does nothing: only levels, of a gauge or an expression, grow as a process ages")
    if rule.kind is MetricKind.RATE and rule.unit == "cores" and values.keys() & {"kind", "unit"}:
        (spot / "unit").warn('a rate is judged as events, and cores are none: use kind = "gauge"')


def _freezes(said: Mapping[int, Values], spot: Spot) -> tuple[Freeze, ...]:
    freezes = []
    for place, values in said.items():
        freeze = Freeze(**values)
        if freeze.end <= freeze.start:
            (spot / place / "end").wrong("expected a time after the start")
        freezes.append(freeze)
    return tuple(freezes)
