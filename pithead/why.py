"""An explanation as lines of plain text."""

from collections.abc import Iterable, Iterator

from pipeline.judge.verdict import Verdict
from pipeline.judge.wording import READ_OFF, confidence, evidence
from pipeline.view import JudgeView
from pipeline.words import amount, duration
from pithead import budgets, sheet
from pithead.explained import Explained, Looks, Metric
from pithead.sparks import chart, gap

UNKNOWN = "?"


def page(told: Explained, *, blocks: bool) -> Iterable[str]:
    """All that is known; charts in `blocks` or in ASCII."""
    verdict = told.verdict.upper() if told.verdict is not None else ""
    if told.looks is not None:
        yield f"{told.release}  {_place(told.looks)}  {verdict}  {told.why}"
        if told.ended is not None:
            yield f"  {sheet.event_line(told.ended)}"
    else:
        state = told.state.value if told.state is not None else "?"
        yield "  ".join(filter(None, (told.service, state, verdict, told.why)))
        yield f"  release {told.release or '-'}  revision {told.revision or '-'}  last stable {told.stable or '?'}"
        yield from (f"  ! {mark}" for mark in told.marks)
        if told.budget is not None:
            yield f"  deploy {sheet.deploy(told.budget, told.gates)}"
            yield f"  {budgets.line(told.budget)}"
        yield from (f"  {line}" for gate in told.gates for line in [sheet.gate_line(gate)])
    if told.judge is not None:
        yield from _judge(told.judge, kept=told.looks is not None)
        for metric in told.metrics:
            yield from _metric(metric, told.covers_s, blocks=blocks)
    elif told.looks is None:
        yield "  nothing is judged now"


def _place(looks: Looks) -> str:
    where = "canary" if looks.wave == 0 else f"wave {looks.wave}"
    return f"{where}, look {looks.number} of {looks.of} at {looks.at:%Y-%m-%d %H:%M:%S}Z"


def _judge(judge: JudgeView, *, kept: bool) -> Iterator[str]:
    yield sheet.against(judge.control)
    yield f"  {judge.looks} look{'' if judge.looks == 1 else 's'}, {_evidence(judge.evidence)}"
    yield f"  false rollbacks: {100 * judge.alpha_spent:.2g} of {per_cent(judge.alpha)} spent"
    # Records do not tell what was calibrated then.
    if judge.calibration and not kept:
        yield f"  {judge.calibration}"
    if judge.warmup:
        yield f"  warm-up {judge.warmup}: only gross faults are judged yet"
    yield from (f"  alert: {alert}" for alert in judge.alerts)
    yield from (f"  note: {caveat}" for caveat in judge.caveats)


def _metric(metric: Metric, covers_s: float, *, blocks: bool) -> Iterator[str]:
    word = metric.verdict.upper() if metric.verdict is not None else "-"
    yield f"{word:7} {metric.why or metric.title}"
    yield f"  {_groups(metric)}"
    if metric.effect is None:
        return
    limit = f"; limit {gap(metric.limit_at, metric.unit)}" if metric.limit_at is not None else ""
    read = f"{READ_OFF}: " if metric.read_off else ""
    low, high = (None if end is None else gap(end, metric.unit) for end in (metric.low, metric.high))
    yield f"  {read}difference {gap(metric.effect, metric.unit)}, {confidence(low, high, metric.unit)}{limit}"
    if metric.verdict not in (None, Verdict.NO_DATA):
        window = f", strongest over {metric.window}" if metric.window else ""
        yield f"  {_evidence(metric.evidence)}{window}; {per_cent(metric.alpha_spent)} of false rollbacks spent on it"
    lines = chart(metric.bounds, metric.limit_at, metric.unit, blocks=blocks)
    if lines:
        aside = f", {READ_OFF}" if metric.read_off else ""
        yield f"  {metric.title}, canary less control, over {duration(covers_s)}{aside}:"
        yield from (f"  {line}" for line in lines)


def _groups(metric: Metric) -> str:
    canary = f"canary {value(metric.candidate, metric.unit)}"
    if metric.hosts is None:
        return f"{canary}, control {value(metric.control, metric.unit)}"
    low, high = (value(end, metric.unit) for end in metric.hosts)
    beside = "" if UNKNOWN in (low, high) else f", production hosts {low} to {high} (p10 to p90)"
    return f"newest: {canary}{beside}"


def value(number: float | None, unit: str) -> str:
    return UNKNOWN if number is None or number - number != 0 else amount(number, unit)


def _evidence(ratio: float) -> str:
    return f"evidence {evidence(ratio)} of what rolls a release back"


def per_cent(ratio: float) -> str:
    return f"{100 * ratio:.2g} %"
