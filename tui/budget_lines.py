"""The budget under the cursor, in six lines. Pure."""

from collections.abc import Sequence
from datetime import datetime

from pipeline.slo.report import BudgetReport, Outage, PaybackReport, WindowReport
from pipeline.view import Deploy, ServiceRow
from tui.budget_asked import Told
from tui.budget_order import LEAST_COVERAGE
from tui.budget_words import allowed, deploy_tone, lasted, may_deploy, short, stamp, sum_of
from tui.burn_down import one_line
from tui.widgets.pane import Look, crop, faded, folded
from tui.widgets.runs import Run, Runs
from tui.words import UNKNOWN, harmless, percent, span

LINES = 6


def glance(row: ServiceRow | None, told: Told, at: datetime, width: int, look: Look) -> tuple[Runs, ...]:
    """At most `LINES` lines: what it was, how it went, whether a release may begin and why not, the payback."""
    if row is None:
        return ()
    report = told.report if told.service == row.name else None
    if report is None:
        said = told.said if told.service == row.name and told.said else f"asking for the budget of {harmless(row.name)}"
        return (((f" {said}", look.palette.warn),), *doors(row, at, width, look, most=3))
    lines: list[Runs] = [summary(report, width, look)]
    down = told.burn_down()
    if told.old:
        lines.append(((f" {told.said}; as of {stamp(report.at, report.at)}", look.palette.warn),))
    elif down is not None:
        lines += one_line(down, width, look)
    owed = payback_line(report.payback, report, look)
    if row.budget.deploy_why.startswith("payback") and not (row.glass or row.security_fix):
        # the sum says it all
        lines += [owed, *doors(row, at, width, look, most=2)[-1:]]
    else:
        lines += [*doors(row, at, width, look, most=2), owed]
    lines.append(data_line(report, look))
    if told.old:
        lines = [lines[0], lines[1], *(faded(line, look.palette.dim) for line in lines[2:])]
    return tuple(crop(line, width, look.glyphs.more) for line in lines[:LINES])


def summary(report: BudgetReport, width: int, look: Look) -> Runs:
    """` payments  avail 99.972% (slices)  bad 12m00s in 1 outage  last 15 Jan 09:00Z`, as much as there is room for."""
    palette = look.palette
    name: Run = (f" {harmless(report.service)}", palette.strong)
    if not report.slos:
        return name, ("  has no objective", palette.dim)
    slo, window = report.slos[0], report.slos[0].rolling
    label = "avail" if slo.name == "availability" else harmless(slo.name)
    inside = charged(report.outages, window)
    last = f"  last {stamp(inside[0].start, report.at)}" if inside else ""
    bad = f"  bad {lasted(window.bad_s)} in {counted(inside)}"
    said = f"  {label} {achieved(window)} ({slo.count}){bad}"
    return name, (said + last if len(name[0]) + len(said) + len(last) <= width else said, palette.plain)


def data_line(report: BudgetReport, look: Look) -> Runs:
    """How well it is measured."""
    if not report.slos:
        return ()
    slo = report.slos[0]
    newest = f", the newest {span(slo.silent_s)} old" if slo.silent_s is not None else ", none yet"
    style = look.palette.dim if (slo.coverage or 0) >= LEAST_COVERAGE else look.palette.warn
    return ((f" data: {percent(slo.coverage, 1)} of the last 24 h known{newest}", style),)


def achieved(window: WindowReport) -> str:
    if not window.achieved:
        return UNKNOWN
    if window.worst == window.best:
        return f"{window.achieved}%"
    return f"between {window.worst} and {window.best}%"


def charged(outages: Sequence[Outage], window: WindowReport) -> list[Outage]:
    """Those that the window's budget pays for."""
    return [each for each in outages if not each.excluded and (each.open or each.end > window.start)]


def counted(outages: Sequence[Outage]) -> str:
    return f"{len(outages)} outage{'' if len(outages) == 1 else 's'}"


def doors(row: ServiceRow, at: datetime, width: int, look: Look, *, most: int) -> tuple[Runs, ...]:
    """Whether a release may begin, why not, and what may be done nevertheless."""
    its, palette = row.budget, look.palette
    said: Runs = ((f" deploy {may_deploy(its, at)}", deploy_tone(its.deploy, palette)),)
    if its.deploy is not Deploy.OK and its.deploy_why:
        said = (*said, (f": {harmless(its.deploy_why)}", palette.plain))
    if row.security_fix:
        said = ((f" SECURITY FIX {harmless(row.security_fix)} ", palette.alarm), *said)
    if row.glass:
        said = ((f" BREAK-GLASS {harmless(row.glass)} ", palette.alarm), *said)
    lines = folded(said, width, width, indent=3, most=most, more=look.glyphs.more)
    if its.deploy in (Deploy.OK, Deploy.WARN):
        return lines
    return (*lines, ((f" allowed: {allowed(its)}", palette.dim),))


def payback_line(payback: PaybackReport | None, report: BudgetReport, look: Look) -> Runs:
    """` BLOCK from 15 Jan 09:04Z: 720s/262.8s = 2.74 -> 3 months, until 15 Apr 09:04Z`."""
    palette = look.palette
    if payback is None:
        return ((" payback of downtime is switched off here", palette.dim),)
    last = payback.block or (payback.debts[-1] if payback.debts else None)
    if payback.held_open and last is not None:
        ended = stamp(last.until, report.at)
        return ((f" BLOCK over since {ended}, but the service is down now: it ends when that does", palette.block),)
    if payback.block is not None:
        return ((f" BLOCK {sum_of(payback.block, report.at)}", palette.block),)
    since = stamp(payback.since, report.at)
    used = f"{short(payback.used_s)}s of {short(payback.quota_s)}s"
    return ((f" quota {used} used since {since}; no block", palette.dim),)
