"""The organisation's rules, and a service's own on top of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from adapters.config.errors import Spot, nearest
from adapters.config.schema import Values
from adapters.metrics.source import SignalKind
from pipeline.model import CheckKind, CheckRule, Freeze, MetricKind, MetricRule, Rules

PARTS = ("promotions", "canary", "cycle", "deploy", "judge", "frequency", "budget")
"""Sections whose values are the fields of the part of `Rules` with the same name."""

NEEDED: Mapping[MetricKind, Mapping[str, SignalKind]] = {
    MetricKind.RATIO: {"bad": SignalKind.COUNTER, "total": SignalKind.COUNTER},
    MetricKind.QUANTILE: {"of": SignalKind.HISTOGRAM},
    MetricKind.RATE: {"of": SignalKind.COUNTER},
    MetricKind.GAUGE: {"of": SignalKind.GAUGE},
}
"""The signals that a metric is worked out from."""
FOREIGN = ("of", "bad", "total")


@dataclass(frozen=True, slots=True)
class Signals:
    """The kind of each signal that the file names; None where its kind could not be read."""

    kinds: Mapping[str, SignalKind | None]

    def check(self, name: str, kind: SignalKind, spot: Spot) -> None:
        if name not in self.kinds:
            spot.wrong(f'expected a {kind} of [signals], got "{name}": {nearest(name, self.kinds)}')
        elif self.kinds[name] not in (kind, None):
            spot.wrong(f'expected a {kind} of [signals], but "{name}" is a {self.kinds[name]}')


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
    )


def check_budget(rules: Rules, signals: Signals, spot: Spot) -> None:
    for key in ("total", "bad"):
        signals.check(getattr(rules.budget, key), SignalKind.COUNTER, spot / "budget" / key)


def _metrics(
    base: tuple[MetricRule, ...], said: Mapping[str, Values], signals: Signals, spot: Spot
) -> tuple[MetricRule, ...]:
    rules = {rule.key: rule for rule in base}
    for key, values in said.items():
        at = spot / key
        old = rules.get(key)
        if old is None and "kind" not in values:
            at.wrong('"kind" is missing: expected "ratio", "quantile", "rate" or "gauge"')
            continue
        kind = values["kind"] if old is None else values.get("kind", old.kind)
        if old is None or kind is not old.kind:
            unit = "ratio" if kind is MetricKind.RATIO else ""
            old = MetricRule(key, old.title if old else key, kind, unit=unit)
        rule = replace(old, **values)
        _check_metric(rule, values, signals, at)
        rules[key] = rule
    return tuple(rules.values())


def _check_metric(rule: MetricRule, values: Values, signals: Signals, spot: Spot) -> None:
    needed = NEEDED[rule.kind]
    for key in FOREIGN:
        if key in needed and not getattr(rule, key):
            spot.wrong(f'"{key}" is missing: a {rule.kind} is worked out from {" and ".join(needed)}')
        elif key in needed:
            signals.check(getattr(rule, key), needed[key], spot / key)
        elif key in values:
            (spot / key).wrong(f"does not belong to a {rule.kind}, which is worked out from {' and '.join(needed)}")
    if rule.kind is not MetricKind.QUANTILE and "q" in values:
        (spot / "q").wrong(f"does not belong to a {rule.kind}, only to a quantile")
    if rule.kind is MetricKind.RATIO and rule.tolerance > 1:
        (spot / "tolerance").wrong(f"expected 0 to 1 for a ratio, got {rule.tolerance:g}")


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
