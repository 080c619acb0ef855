"""`e` on a service's page: why it is where it is, with every metric's sentence and every gate, in full.

`explanation` is pure; `ExplainScreen` shows it and is handed each newer view while it is open.
"""

from pipeline.gates import Answer
from pipeline.view import Deploy, Mark, ServiceView
from tui.budget_words import may_deploy, time_left
from tui.gate_lines import gate_sheet
from tui.page import Draw, PageScreen, Reading
from tui.service_alerts import alert_texts
from tui.service_explain_judge import judging, metric_texts, told
from tui.service_hosts import tally
from tui.widgets.pane import Look, Sheet
from tui.widgets.runs import Run, Runs
from tui.words import hms, percent, span, verdict


def explanation(view: ServiceView) -> Draw:
    return lambda width, look: _sheet(view, width, look)


class ExplainScreen(PageScreen):
    """The explanation of the newest view that it was given; a newer one leaves the reader's place where it is."""

    def __init__(self, view: ServiceView) -> None:
        self._view = view
        super().__init__(f"fleet > {view.row.name} > explain", self._explained)

    def put(self, view: ServiceView, *, lost: bool) -> None:
        """`lost`: no news come, what is shown is old."""
        self._view = view
        for reading in self.query(Reading):
            reading.fade(lost)
            reading.redraw()

    def _explained(self, width: int, look: Look) -> Sheet:
        return explanation(self._view)(width, look)


def _sheet(view: ServiceView, width: int, look: Look) -> Sheet:
    palette, row = look.palette, view.row
    release = f"release {row.release}, revision {row.revision}" if row.release else "no release under way"
    body: list[Runs] = [
        _headed("state", (row.state.value, palette.of(row)), look),
        *told(row.why or "nothing under way", width, look),
        *told(f"{release}; last stable {view.stable or 'unknown'}", width, look),
    ]
    if row.wait_s is not None:
        body += told(f"can go on in {span(row.wait_s)}", width, look)
    if view.waves:
        under_way = "not in production yet" if row.release else "no release is on its way"
        done = f"in wave {view.wave}" if view.wave else under_way
        body += told(f"waves: {', '.join(view.waves)}; {done}", width, look)
    body += [(), _headed("verdict", (verdict(row.verdict), palette.verdict(row.verdict)), look)]
    body += judging(view, width, look)
    for pane in view.panes:
        word = verdict(pane.verdict) if pane.verdict is not None else "not judged"
        body.append(((f" {word:<11}", palette.verdict(pane.verdict)), (pane.title, palette.strong)))
        body += [line for text in metric_texts(pane) for line in told(text, width, look, indent=12)]
    budget = row.budget
    body += [(), _headed("budget", (f"{percent(budget.left)} left", palette.plain), look)]
    burn = "unknown" if budget.burn_1h is None else f"{budget.burn_1h:.1f}"
    left = f"{time_left(budget.left_s)} of " if budget.left_s is not None else "of "
    body += told(f"{left}{budget.window}, burn 1h {burn}", width, look)
    if budget.deploy is not Deploy.OK:
        body += told(f"deploy {may_deploy(budget, view.at)}: {budget.deploy_why or 'no reason given'}", width, look)
    closed = sum(gate.answer is not Answer.PASS for gate in view.gates)
    body += [(), _headed("gates", (_closed(closed, len(view.gates)), palette.plain), look)]
    body += gate_sheet(view, width, look, whole=True).body
    alerts = alert_texts(view)
    if alerts:
        body += [(), _headed("alerts", (f"{row.alerts} fire", palette.fail if row.alerts else palette.warn), look)]
        body += [line for text in alerts for line in told(text, width, look)]
    body += [(), _headed("hosts", (tally(view.hosts), palette.plain), look)]
    trouble = [host for host in view.hosts if host.mark is not Mark.GOOD]
    for host in trouble:
        text = f"{host.name} ({host.track.value}, {host.datacenter or '?'}): {host.detail or host.mark.value}"
        body += told(text, width, look)
    if not trouble:
        body += told("all of them are well", width, look)
    title: Runs = ((f"why {row.name} is where it is", palette.strong), (f"  as of {hms(view.at)} UTC", palette.dim))
    return Sheet(title, tuple(body))


def _closed(closed: int, of: int) -> str:
    if not of:
        return "none are asked now"
    return f"all {of} pass" if not closed else f"{closed} of {of} {'does' if closed == 1 else 'do'} not pass"


def _headed(name: str, said: Run, look: Look) -> Runs:
    return ((f" {name:<8}", look.palette.dim), said)
