"""Why a release is where it is: from what the controller shows now, or from the looks that it kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.events import Event
from pipeline.gates import Answer, Gate
from pipeline.judge.look import LookRecord
from pipeline.judge.trial import TrialRecord
from pipeline.judge.verdict import MetricVerdict, Verdict
from pipeline.judge.wording import is_read_off
from pipeline.model import MetricKind, MetricRule
from pipeline.view import Budget, Deploy, JudgeView, MetricPane, ServiceView, State
from pithead import sheet
from pithead.sparks import Bound


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; values and bounds in its own unit, None where there is none."""

    key: str
    title: str
    unit: str
    verdict: Verdict | None
    why: str
    """A sentence with both groups."""
    candidate: float | None
    """The canary's: of the whole trial in records, else the newest."""
    control: float | None
    """In records."""
    hosts: tuple[float | None, float | None] | None
    """p10 and p90 over production hosts now; None in records."""
    effect: float | None
    low: float | None
    high: float | None
    limit_at: float | None
    evidence: float
    alpha_spent: float
    window: str
    bounds: tuple[Bound | None, ...]
    """Over time, oldest first."""
    read_off: bool = False
    """Whether values and bounds are read off buckets: of a quantile, whose tail is what is counted and judged."""


@dataclass(frozen=True, slots=True)
class Looks:
    """Where an explanation from records stands in its trial."""

    wave: int
    """0 is the canary."""
    number: int
    """The look that is told."""
    of: int
    """The newest look that is kept."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Explained:
    service: str
    release: str
    revision: str
    stable: str
    state: State | None
    """None where only records tell of it."""
    verdict: Verdict | None
    why: str
    gates: tuple[Gate, ...] = ()
    """Those that do not pass."""
    judge: JudgeView | None = None
    metrics: tuple[Metric, ...] = ()
    covers_s: float = 0.0
    """How long the bounds reach back."""
    looks: Looks | None = None
    """None of what is shown now."""
    ended: Event | None = None
    """What became of the release."""
    budget: Budget | None = None
    """Where it, or another rule, keeps releases from beginning."""
    marks: tuple[str, ...] = ()
    """Break-glass or a security fix in force, an open incident."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Of one look, what is drawn of it."""

    at: datetime
    bounds: dict[str, Bound]
    """By metric."""


def of_view(view: ServiceView) -> Explained:
    row = view.row
    return Explained(
        row.name,
        row.release,
        row.revision,
        view.stable,
        row.state,
        row.verdict,
        row.why,
        tuple(gate for gate in view.gates if gate.answer is not Answer.PASS),
        view.judge,
        tuple(_shown(pane) for pane in view.panes),
        max((pane.step_s * len(pane.bounds) for pane in view.panes), default=0.0),
        budget=row.budget if row.budget.deploy is not Deploy.OK else None,
        marks=sheet.marks(row),
    )


def _shown(pane: MetricPane) -> Metric:
    newest = next((point for point in reversed(pane.bounds) if point is not None), (None, None, None))
    return Metric(
        pane.key,
        pane.title,
        pane.unit,
        pane.verdict,
        pane.why,
        pane.canary[-1] if pane.canary else None,
        None,
        (pane.low[-1] if pane.low else None, pane.high[-1] if pane.high else None),
        newest[1],
        newest[0],
        newest[2],
        pane.limit_at,
        pane.evidence,
        pane.alpha_spent,
        pane.window,
        pane.bounds,
        is_read_off(pane.difference),
    )


def moment(record: LookRecord) -> Moment:
    judged = record.judgement.metrics
    return Moment(record.at, {metric.key: (metric.low, metric.effect, metric.high) for metric in judged})


def of_records(
    service: str, record: TrialRecord, look: LookRecord, newest: int, before: Sequence[Moment], ended: Event | None
) -> Explained:
    """`look` is told, `before` is drawn, oldest first; `newest` is the number of the trial's newest look."""
    said = look.judgement
    rules = {rule.key: rule for rule in record.trial.rules.metrics}
    places = {key: place for place, key in enumerate(rules)}
    judged = sorted(said.metrics, key=lambda metric: places.get(metric.key, len(places)))
    judge = JudgeView.of(said)
    return Explained(
        service,
        look.release,
        ended.revision if ended is not None else "",
        "",
        None,
        said.verdict,
        said.why,
        judge=judge,
        metrics=tuple(_judged(metric, rules.get(metric.key), before) for metric in judged),
        covers_s=(look.at - before[0].at).total_seconds() if before else 0.0,
        looks=Looks(look.wave, look.number, newest, look.at),
        ended=ended,
    )


def _judged(metric: MetricVerdict, rule: MetricRule | None, before: Sequence[Moment]) -> Metric:
    return Metric(
        metric.key,
        rule.title if rule is not None else metric.key,
        _unit(rule),
        metric.verdict,
        metric.why,
        metric.candidate,
        metric.control,
        None,
        metric.effect,
        metric.low,
        metric.high,
        metric.limit_at,
        metric.evidence,
        metric.alpha_spent,
        metric.window,
        tuple(each.bounds.get(metric.key) for each in before),
        is_read_off(metric.difference),
    )


def _unit(rule: MetricRule | None) -> str:
    if rule is None:
        return ""
    return rule.unit or ("/h" if rule.kind is MetricKind.RESTARTS else "")
