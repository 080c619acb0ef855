"""A recorded canary or wave judged again: by the same settings it must come out the same, by others it may not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from pipeline.judge.look import LookRecord
from pipeline.judge.trial import E, Judge
from pipeline.judge.verdict import Judgement, Verdict
from pipeline.model import JudgeRules, MetricRule
from pipeline.text import plain


@dataclass(frozen=True, slots=True)
class Step:
    """One look, as it was judged then and as it is judged now."""

    number: int
    at: datetime
    seconds: float
    recorded: Judgement
    replayed: Judgement


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay has shown so far."""

    looks: int = 0
    seconds: float = 0.0
    missing: int = 0
    """Looks that the history does not hold, up to the last one."""
    different: int = 0
    """Looks at which the two judgements are not the same in every number and word."""
    first_different: Step | None = None
    recorded_fail: Step | None = None
    """The first look at which it was FAIL then."""
    replayed_fail: Step | None = None
    last: Step | None = None

    def after(self, step: Step) -> "Replay":
        same = step.recorded == step.replayed
        before = self.last.number if self.last is not None else 0
        return Replay(
            self.looks + 1,
            self.seconds + step.seconds,
            self.missing + step.number - before - 1,
            self.different + (not same),
            self.first_different or (None if same else step),
            self.recorded_fail or (step if step.recorded.verdict is Verdict.FAIL else None),
            self.replayed_fail or (step if step.replayed.verdict is Verdict.FAIL else None),
            step,
        )


def again(judge: Judge[E], evidence: E, kept: LookRecord) -> tuple[E, Step]:
    """A recorded look judged again, on top of the evidence of those before it."""
    evidence, judgement = judge.look(evidence, kept.look)
    return evidence, Step(kept.number, kept.at, kept.look.seconds, kept.judgement, judgement)


def changed(rules: JudgeRules, wishes: Mapping[str, str]) -> JudgeRules:
    """`rules` with other settings: `false_rollback=0.05`, `errors.tolerance=0.002`, ...

    What is measured stays (kinds, signals, quantiles): the looks were recorded for it.

    Raises:
        ValueError: an unknown setting or metric, or a value out of its range; says what was expected.
    """
    metrics = {metric.key: metric for metric in rules.metrics}
    for key, text in wishes.items():
        name, dot, setting = key.rpartition(".")
        if not dot:
            rules = _with(rules, _OF_RULES, key, key, text)
        elif name in metrics:
            metrics[name] = _with(metrics[name], _OF_METRIC, setting, key, text)
        else:
            raise ValueError(f"{plain(key, 60)}: no metric {plain(name, 40)}: there are {', '.join(metrics)}")
    rules = replace(rules, metrics=tuple(metrics.values()))
    if not any(metric.judged for metric in rules.metrics):
        raise ValueError("no metric would be judged: leave one at judged=true")
    return rules


def _number(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise ValueError(f"expected {low:g} to {high:g}")
        return value

    return read


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= 1_000_000:
        raise ValueError("expected 1 to 1000000")
    return int(text)


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("expected true or false")
    return text == "true"


R = TypeVar("R", JudgeRules, MetricRule)
Readers = Mapping[str, Callable[[str], Any]]
_OF_RULES: Readers = {
    "false_rollback": _number(0.0001, 0.2),
    "guard_burn": _number(0, 10_000),
    "warmup_s": _number(0, 86_400),
}
_OF_METRIC: Readers = {
    "tolerance": _number(0, 1_000),
    "min_samples": _count,
    "critical": _flag,
    "judged": _flag,
}


def _with(of: R, readers: Readers, setting: str, key: str, text: str) -> R:
    reader = readers.get(setting)
    if reader is None:
        known = ", ".join((*_OF_RULES, *(f"METRIC.{name}" for name in _OF_METRIC)))
        raise ValueError(f"{plain(key, 60)}: not a setting that can be replayed: there are {known}")
    try:
        value = reader(text)
    except ValueError as wrong:
        raise ValueError(f"{plain(key, 60)}: {wrong}, got {plain(text, 40)}") from None
    return replace(of, **{setting: value})
