"""`ReadinessPage(service)`: its checklist as it stands, what is missing first. `readiness_sheet` is pure."""

import asyncio
from collections.abc import Iterator

from rich.style import Style

from pipeline.commands import Refused
from pipeline.ports import ControllerLost, HistoryError
from pipeline.readiness.report import ReadinessReport, Row, RowState
from pipeline.text import plain
from pipeline.view import Mark
from tui.asked import AskedScreen
from tui.budget_asked import PATIENCE_S
from tui.budget_words import stamp
from tui.room import room_of
from tui.service_sheets import wrapped
from tui.theme import Palette
from tui.widgets.pane import Look, Sheet, folded
from tui.widgets.runs import Runs
from tui.words import fit, harmless, span

SOON_S = 14 * 86_400.0
"""What expires within it is said loudly."""
_ORDER = (RowState.FAIL, RowState.EXPIRED, RowState.UNKNOWN, RowState.WAIVED, RowState.PASS)
_MARKS = {
    RowState.PASS: Mark.GOOD,
    RowState.FAIL: Mark.BAD,
    RowState.EXPIRED: Mark.BAD,
    RowState.WAIVED: Mark.RUNNING,
    RowState.UNKNOWN: Mark.UNKNOWN,
}


class ReadinessPage(AskedScreen):
    def __init__(self, service: str) -> None:
        super().__init__(service, "readiness")
        self._report: ReadinessReport | None = None
        self._said = ""

    async def ask(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                self._report = await room_of(self).room.readiness(self.service)
            self._said = ""
        except TimeoutError:
            self._said = f"no answer in {PATIENCE_S:g} s"
        except Refused as no:
            self._said = f"{plain(no.why)}: {plain(no.mend)}"
        except (ControllerLost, HistoryError) as lost:
            self._said = plain(str(lost)) or "the controller does not answer"

    @property
    def old(self) -> bool:
        return self._report is not None and bool(self._said)

    @property
    def fails(self) -> bool:
        return bool(self._said)

    def sheet(self, width: int, look: Look) -> Sheet:
        return readiness_sheet(self.service, self._report, self._said, width, look)


def readiness_sheet(service: str, report: ReadinessReport | None, said: str, width: int, look: Look) -> Sheet:
    """Each row: sign and word, id, what is checked, what was found; of one that is missing also what mends it."""
    palette = look.palette
    title: Runs = ((f"readiness of {harmless(service)}", palette.strong),)
    body: list[Runs] = []
    if said:
        body += folded(((f" no readiness list: {said}", palette.warn),), width, width, indent=3, most=9)
    if report is None:
        return Sheet(title, tuple(body) or (((" asking the controller for its list", palette.dim),),))
    body += folded(((f" {_head(report)}", _head_style(report, palette)),), width, width, indent=3, most=9)
    ordered = sorted(report.rows, key=lambda row: _ORDER.index(row.state))
    for row in ordered:
        body += _row(row, report, width, look)
    as_of = ((f"  as of {stamp(report.at, report.at)}", palette.dim),)
    counts = [f"{sum(row.state is state for row in report.rows)} {state.value}" for state in _ORDER]
    foot = ", ".join(count for count in counts if not count.startswith("0 "))
    return Sheet((*title, *as_of), tuple(body), ((foot or "none", palette.plain),))


def _head(report: ReadinessReport) -> str:
    of, missing = len(report.rows), len(report.missing)
    if not report.rows:
        return "the list has no row for this service"
    if not missing:
        return f"all {of} rows pass or are waived"
    verb = "is" if missing == 1 else "are"
    if report.binding:
        return f"{missing} of {of} rows {verb} missing: releases are held until every one passes or is waived"
    return f"{missing} of {of} rows {verb} missing: advice, it holds no release (the service is not business-critical)"


def _head_style(report: ReadinessReport, palette: Palette) -> Style:
    if not report.missing:
        return palette.good if report.rows else palette.dim
    return palette.warn if report.binding else palette.plain


def _row(row: Row, report: ReadinessReport, width: int, look: Look) -> Iterator[Runs]:
    palette = look.palette
    style = {RowState.PASS: palette.good, RowState.WAIVED: palette.warn, RowState.UNKNOWN: palette.dim}.get(
        row.state, palette.fail
    )
    head = f" {look.glyphs.marks[_MARKS[row.state]]} {row.state.value:<8}{fit(row.id, 6, look.glyphs.more)} "
    room = max(width - len(head) - 1, 10)
    texts = [harmless(f"{row.title}: {row.why}" if row.why else row.title)]
    first, *more = wrapped(texts[0], room)
    yield (head, style), (first, palette.plain)
    blank = " " * len(head)
    for line in more:
        yield (blank, palette.plain), (line, palette.plain)
    if row.expires is not None:
        left = (row.expires - report.at).total_seconds()
        when = f"expires {stamp(row.expires, report.at)}, in {span(left)}" if left > 0 else "expired"
        said = f"{when} ({stamp(row.expires, report.at)})" if left <= 0 else when
        yield (blank, palette.plain), (said, palette.warn if left < SOON_S else palette.dim)
    if row.lifts and row.state not in (RowState.PASS,):
        for line in wrapped(f"lifts: {harmless(row.lifts)}", room):
            yield (blank, palette.plain), (line, palette.dim)
