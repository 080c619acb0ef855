"""A service's budgets in full: objectives, burn, payback with its ledger, outages. Pure."""

from collections.abc import Iterator

from pipeline.slo.report import BudgetReport, Outage, SloReport, WindowReport
from pipeline.view import ServiceRow
from tui.budget_asked import Told
from tui.budget_lines import achieved, counted, doors, payback_line, summary
from tui.budget_words import lasted, short, stamp, stretch, sum_of, time_left, times
from tui.burn_down import burn_down, scale_note
from tui.widgets.pane import Look, Sheet, folded
from tui.widgets.runs import Run, Runs
from tui.words import UNKNOWN, fit, harmless, percent, span

CHART = 11
"""Lines of the burn-down on a page that scrolls."""


def whole(row: ServiceRow | None, told: Told, width: int, look: Look) -> Sheet:
    """Everything about one service."""
    title: Runs = ((f"budget of {harmless(told.service)}", look.palette.strong),)
    if told.report is None:
        return Sheet(title, (((f" {told.said or 'asking the controller for it'}", look.palette.warn),),))
    body: list[Runs] = []
    if told.said:
        body += [*_wrapped(((f" {told.said}", look.palette.warn),), width, look), ()]
    if row is not None:
        body += [*doors(row, told.report.at, width, look, most=6), ()]
    body += [*going(told, width, CHART, look), ()]
    body += _headed("objectives", look)
    for slo in told.report.slos:
        body += objective(slo, width, look)
    body += [(), *burning(told.report, width, look), (), *owed(told.report, width, look), ()]
    body += down_times(told.report, width, look)
    as_of: Run = (f"  as of {stamp(told.report.at, told.report.at)}", look.palette.dim)
    return Sheet((*title, as_of), tuple(body))


def going(told: Told, width: int, height: int, look: Look) -> tuple[Runs, ...]:
    """What it was, and the chart of what was left in `height` lines altogether."""
    report, down = told.report, told.burn_down()
    if report is None:
        return ()
    lines = _wrapped(summary(report, 1_000, look), width, look)
    if down is None:
        return lines
    note: Runs = ((f" left of {scale_note(down.slo)}", look.palette.dim),)
    return (*lines, note, *burn_down(down, width, max(height - len(lines) - 1, 3), look))


def rest(told: Told, width: int, look: Look) -> tuple[Runs, ...]:
    """What stands beside the burn-down: burn, payback, outages, the other objectives."""
    report = told.report
    if report is None:
        return ()
    body = [*burning(report, width, look), *owed(report, width, look), *down_times(report, width, look)]
    body += _headed("objectives", look)
    return (*body, *(line for slo in report.slos for line in objective(slo, width, look)))


def objective(slo: SloReport, width: int, look: Look) -> Iterator[Runs]:
    """An SLO, over both of its windows."""
    head = f" {harmless(slo.name)}: {slo.target or UNKNOWN} % by {slo.count}"
    known = f", {percent(slo.coverage, 1)} of the last 24 h known"
    silent = f", silent for {span(slo.silent_s)}" if slo.silent_s is not None and slo.silent_s > 300 else ""
    yield from _wrapped(((head, look.palette.strong), (known + silent, look.palette.dim)), width, look)
    for window in (slo.rolling, slo.month):
        yield from _wrapped(_window(slo, window, look), width, look, indent=5)


def _window(slo: SloReport, window: WindowReport, look: Look) -> Runs:
    palette = look.palette
    label: Run = (f"   {window.label}: ", palette.dim)
    if window.left is None:
        return label, (f"? {harmless(window.why) or 'too little is known'}", palette.dim)
    style = palette.block if window.left <= 0 else palette.warn if window.left < 0.25 else palette.plain
    unknown = f", not known: {lasted(window.unknown_s)} of this window" if window.unknown_s else ""
    bad, whole, _ = slo.bad_of(window)
    return (
        label,
        (f"{time_left(window.left_s)} left ({percent(window.left)})", style),
        (f", achieved {achieved(window)}, {bad:,} of {whole:,} bad", palette.plain),
        (f", down {lasted(window.bad_s)}{unknown}", palette.dim),
    )


def burning(report: BudgetReport, width: int, look: Look) -> Iterator[Runs]:
    """Every multi-window alarm: fires only where both windows burn faster than its factor."""
    yield from _headed("burn, against what is allowed", look)
    for slo in report.slos:
        if len(report.slos) > 1:
            yield ((f" {harmless(slo.name)}", look.palette.dim),)
        for pair in slo.burn:
            style = look.palette.fail if pair.fires else look.palette.plain
            said = "FIRES" if pair.fires else "quiet" if pair.long is not None else "no traffic"
            windows = ((pair.long_s, pair.long), (pair.short_s, pair.short))
            rates = "".join(f"  {stretch(seconds):>3} {times(burn):>4}" for seconds, burn in windows)
            line = f" {pair.alarm:<6} {times(pair.factor):>4}x{rates}  {said}"
            yield ((fit(line, width, look.glyphs.more), style),)
        if not slo.burn:
            yield ((" nothing is known of its burn", look.palette.dim),)


def owed(report: BudgetReport, width: int, look: Look) -> Iterator[Runs]:
    """The block in force, and every debt before it."""
    yield from _headed("payback of downtime", look)
    payback = report.payback
    yield from _wrapped(payback_line(payback, report, look), width, look)
    if payback is None:
        return
    if payback.block is not None:
        used = f" quota {short(payback.quota_s)}s a month; {short(payback.used_s)}s down since "
        yield from _wrapped(((used + stamp(payback.since, report.at), look.palette.dim),), width, look)
    for debt in reversed(payback.debts):
        if debt != payback.block:
            yield from _wrapped(((f" before: {sum_of(debt, report.at)}", look.palette.dim),), width, look)


def down_times(report: BudgetReport, width: int, look: Look) -> Iterator[Runs]:
    """Outages, newest first, with what is not charged and why."""
    yield from _headed(counted(report.outages), look)
    for outage in report.outages:
        yield from _wrapped(_outage(outage, report, look), width, look)


def _outage(outage: Outage, report: BudgetReport, look: Look) -> Runs:
    palette = look.palette
    end = report.at if outage.open else outage.end
    how_long = lasted((end - outage.start).total_seconds())
    said, style = "charged", palette.plain
    if outage.excluded:
        said, style = f"not charged: {harmless(outage.excluded)}", palette.dim
    if outage.open:
        said, style = f"goes on; {said}", palette.fail
    late = ", found afterwards" if outage.backfill else ""
    return ((f" {stamp(outage.start, report.at)}  {how_long:>7}  {said}{late}", style),)


def _headed(name: str, look: Look) -> Iterator[Runs]:
    yield ((f" {name}", look.palette.strong),)


def _wrapped(runs: Runs, width: int, look: Look, *, indent: int = 3) -> tuple[Runs, ...]:
    return folded(runs, width, width, indent=indent, most=8, more=look.glyphs.more)
