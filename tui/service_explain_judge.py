"""What the judge saw, in words: of the whole release, and of each metric. Pure."""

from rich.style import Style

from pipeline.judge.wording import READ_OFF, confidence, evidence, is_read_off
from pipeline.view import JudgeView, MetricPane, ServiceView
from tui.service_bounds import newest
from tui.service_judge import against
from tui.service_sheets import wrapped
from tui.widgets.pane import Look
from tui.widgets.runs import Runs
from tui.words import difference


def judging(view: ServiceView, width: int, look: Look) -> list[Runs]:
    """By what the verdict was reached: control, calibration, error rate, warm-up, caveats, alerts."""
    judge = view.judge
    if judge is None:
        return told(f"held against {view.control}" if view.control else "nothing to hold it against", width, look)
    palette = look.palette
    body = told(against(judge.control), width, look)
    body += told(f"{looks(judge)}, {so_far(judge.evidence)}", width, look)
    body += told(f"false rollbacks: {spent(judge)}", width, look)
    body += told(judge.calibration, width, look, style=palette.plain if judge.calibrated else palette.warn)
    if judge.warmup:
        body += told(f"warm-up {judge.warmup}: only gross faults are judged yet", width, look)
    for caveat in judge.caveats:
        body += told(f"note: {caveat}", width, look)
    for alert in judge.alerts:
        body += told(f"{look.glyphs.watched} alert: {alert}", width, look, style=palette.warn)
    return body


def metric_texts(pane: MetricPane) -> list[str]:
    """A metric's sentence, its bounds, and how much it weighs, each where there is one."""
    numbers = ", ".join(filter(None, [pane.difference, f"limit {pane.limit}" if pane.limit else ""]))
    texts = [pane.why or numbers]
    point = newest(pane)
    if point is not None:
        low, effect, high = (None if value is None else difference(value, pane.unit) for value in point)
        limit = f"; limit {difference(pane.limit_at, pane.unit)}" if pane.limit_at is not None else ""
        read = f"{READ_OFF}: " if is_read_off(pane.difference) else ""
        texts.append(f"{read}{effect}, {confidence(low, high, pane.unit)}{limit}")
    if pane.verdict is not None and (pane.evidence > 0 or pane.alpha_spent > 0):
        window = f", strongest over {pane.window}" if pane.window else ""
        texts.append(f"{so_far(pane.evidence)}{window}; {per_cent(pane.alpha_spent)} of false rollbacks spent on it")
    return [text for text in texts if text]


def looks(judge: JudgeView) -> str:
    return f"{judge.looks} look{'' if judge.looks == 1 else 's'}"


def so_far(ratio: float) -> str:
    return f"evidence {evidence(ratio)} of what rolls a release back"


def spent(judge: JudgeView) -> str:
    """Of the configured rate over the whole canary: "0.4 of 1 % spent"."""
    return f"{100 * judge.alpha_spent:.2g} of {per_cent(judge.alpha)} spent"


def per_cent(ratio: float) -> str:
    """A small ratio, to two digits."""
    return f"{100 * ratio:.2g} %"


def told(text: str, width: int, look: Look, indent: int = 9, style: Style | None = None) -> list[Runs]:
    """`text`, wrapped and indented."""
    lines = wrapped(text, max(width - indent - 1, 10))
    return [((" " * indent + line, look.palette.plain if style is None else style),) for line in lines]
