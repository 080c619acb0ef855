"""The organisation's rules, and a service's own on top of them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from adapters.config.errors import LONGEST_SHOWN, Spot, nearest
from adapters.config.schema import Values
from adapters.config.values import either
from adapters.metrics.source import SignalKind
from pipeline.expression import parsed
from pipeline.model import CheckKind, CheckRule, Freeze, MetricKind, MetricRule, Rules
from pipeline.text import plain

PARTS = ("promotions", "canary", "cycle", "deploy", "judge", "frequency", "budget")
"""Sections whose values are the fields of the part of `Rules` with the same name."""

COUNTER, HISTOGRAM = (SignalKind.COUNTER,), (SignalKind.HISTOGRAM,)
LEVEL = (SignalKind.COUNTER, SignalKind.GAUGE)
"""What has a level: a counter's is its increase per second."""
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


@dataclass(frozen=True, slots=True)
class Signals:
    """The kind of each signal that the file names; None where its kind could not be read."""

    kinds: Mapping[str, SignalKind | None]

    def check(self, name: str, kinds: Collection[SignalKind], spot: Spot) -> None:
        wanted = f"expected a {' or '.join(kinds)} of [signals]"
        if name not in self.kinds:
            spot.wrong(f'{wanted}, got "{plain(name, LONGEST_SHOWN)}": {nearest(name, self.kinds)}')
        elif self.kinds[name] not in (*kinds, None):
            spot.wrong(f'{wanted}, but "{name}" is a {self.kinds[name]}')


def layered(base: Rules, said: Values, signals: Signals, spot: Spot) -> Rules:
    """`base` with what `said` says instead; what does not go together is reported."""
    rules = replace(base, **{part: replace(getattr(base, part), **said[part]) for part in PARTS if part in said})
    metrics = _metrics(base.judge.metrics, said.get("metrics", {}), signals, spot / "metrics")
    return replace(
        rules,
        waves=said.get("waves", base.waves),
        judge=replace(rules.judge, metrics=metrics),
        checks=_checks(base.checks, said.get("checks", {}), spot / "checks"),
        freezes=base.freezes + _freezes(said.get("freeze", {}), spot / "freeze"),
        failing_alerts=frozenset(said.get("alerts", {}).get("fail", base.failing_alerts)),
    )


def check_budget(rules: Rules, signals: Signals, spot: Spot) -> None:
    for key in ("total", "bad"):
        signals.check(getattr(rules.budget, key), COUNTER, spot / "budget" / key)


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


def _checks(base: tuple[CheckRule, ...], said: Mapping[str, Values], spot: Spot) -> tuple[CheckRule, ...]:
    rules = {rule.name: rule for rule in base}
    for name, values in said.items():
        at = spot / name
        if "path" in values and "command" in values:
            at.wrong('expected "path" (a probe) or "command", not both')
            continue
        old = rules.get(name)
        if "path" in values:
            kind = CheckKind.PROBE
        elif "command" in values:
            kind = CheckKind.COMMAND
        elif old is not None:
            kind = old.kind
        else:
            at.wrong('expected "path" (a probe) or "command"')
            continue
        if old is None or kind is not old.kind:
            old = CheckRule(name, kind)
        for key in ("status", "contains"):
            if kind is CheckKind.COMMAND and key in values:
                (at / key).wrong("does not belong to a command, only to a probe")
        rules[name] = replace(old, **values)
    return tuple(rules.values())


def _freezes(said: Mapping[int, Values], spot: Spot) -> tuple[Freeze, ...]:
    freezes = []
    for place, values in said.items():
        freeze = Freeze(**values)
        if freeze.end <= freeze.start:
            (spot / place / "end").wrong("expected a time after the start")
        freezes.append(freeze)
    return tuple(freezes)
