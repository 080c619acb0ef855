"""The head of a service's page: where its release is on the lane, and what is said of it.

Pure: views in, `Runs` of a given width out.
"""

from pipeline.judge.verdict import Verdict
from pipeline.judge.wording import limited
from pipeline.view import ATTENTION, Deploy, Mark, MetricPane, Progress, ServiceRow, ServiceView, StageCell, State
from tui.budget_words import deploy_tone, time_left, times, tone
from tui.service_sheets import pen
from tui.theme import Palette
from tui.widgets.pane import Look, crop, ends, folded
from tui.widgets.runs import Runs, length
from tui.words import UNKNOWN, bar, percent, span, verdict

_IN_STAGING = frozenset({State.QUEUED, State.STAGE, State.GATES})
_IN_CANARY = frozenset({State.CANARY, State.BAKE})
INDENT = 3
"""Of the lines below the first of what is said."""
MOST = 3
"""Such lines."""


def lane(view: ServiceView, width: int, look: Look, *, wide: bool) -> Runs:
    """The three stages with arrows between them; the one that the release is in carries the state."""
    row, palette = view.row, look.palette
    here = place(row)
    cells = (("staging", row.staging), ("canary", row.canary), ("prod", row.production))
    runs: Runs = ()
    for index, (name, cell) in enumerate(cells):
        if index:
            arrow = look.glyphs.done if passed(row, index) else look.glyphs.ahead
            runs = (*runs, (f"  {arrow}  " if wide else f" {arrow} ", palette.dim))
        runs = (*runs, *_stage(name, cell, look, wide=wide))
        if index == here:
            runs = (*runs, (f" [{_state(view, wide=wide)}]", palette.of(row)))
    return crop(((" ", palette.plain), *runs), width, look.glyphs.more)


def place(row: ServiceRow) -> int | None:
    """The stage that the release at hand is in: 0 staging, 1 canary, 2 production; None where none moves."""
    if row.state in _IN_STAGING:
        return 0
    if row.state in _IN_CANARY:
        return 1
    if row.state is State.STEADY or not row.revision:
        return None
    if row.production.revision == row.revision:
        return 2
    if row.canary.revision == row.revision:
        return 1
    # One that is blocked before it began is on its way into staging.
    return 0 if row.state is State.BLOCK or row.staging.revision == row.revision else None


def passed(row: ServiceRow, stage: int) -> bool:
    """Whether the release has left the stage before `stage`."""
    here = place(row)
    return here is not None and here >= stage


def _stage(name: str, cell: StageCell, look: Look, *, wide: bool) -> Runs:
    palette = look.palette
    if not cell.revision:
        return ((f"{name} -", palette.dim),)
    style = palette.marks[cell.mark]
    runs: Runs = ((f"{name} ", palette.dim), (cell.revision, palette.strong))
    if cell.mark is Mark.UNKNOWN:
        return (*runs, (f" {look.glyphs.unknown}", style))
    if cell.share is not None:
        runs = (*runs, (f" {percent(cell.share)}", palette.plain))
    if cell.of and (wide or cell.share is None):
        counted = f"{cell.done}/{cell.of}"
        runs = (*runs, (f" [{counted}]" if not wide else f" {counted} {look.glyphs.marks[cell.mark]}", style))
    return runs


def _state(view: ServiceView, *, wide: bool) -> str:
    row = view.row
    said = [row.state.value]
    if row.production.revision == row.revision and view.waves and 0 < view.wave <= len(view.waves):
        said.append(f"{view.wave}/{len(view.waves)} {view.waves[view.wave - 1]}" if wide else view.waves[view.wave - 1])
    if row.state is State.STALE:
        said.append(f"{span(row.age_s)} old")
    elif row.progress is not None:
        said.append(waited(row.progress, wide=wide))
    elif row.wait_s is not None:
        said.append(f"{span(row.wait_s)} left")
    return " ".join(said)


def waited(progress: Progress, *, wide: bool) -> str:
    """Done of all: "41/60m", where there is room "41/60 min"; in seconds under three minutes; "299/100k req"."""
    done, of = progress.done, progress.of
    if progress.unit == "req":
        return f"{_short(done)}/{_short(of)} req"
    if progress.unit == "req/s":
        return f"peak {_short(done)}/{_short(of)}{' req/s' if wide else ''}"
    if of < 180:
        return f"{int(done)}/{int(of)}{' s' if wide else 's'}"
    if of < 3 * 3_600:
        return f"{int(done // 60)}/{round(of / 60)}{' min' if wide else 'm'}"
    return f"{done / 3_600:.1f}/{of / 3_600:.4g}{' h' if wide else 'h'}"


def _short(number: float) -> str:
    """Cut, in at most four cells up to a thousand million: "299", "9.9k", "100k", "1.2M"."""
    for size, name in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            tenths = int(10 * number // size)
            return f"{tenths / 10:g}{name}" if tenths < 100 else f"{tenths // 10}{name}"
    return f"{int(number)}"


def named(panes: tuple[MetricPane, ...], verdict: Verdict) -> MetricPane | None:
    """The metric whose difference tells of the verdict; what is missing is a reason and no difference."""
    if verdict is Verdict.NO_DATA:
        return None
    return next((pane for pane in panes if pane.verdict is verdict and pane.difference), None)


def judged_line(view: ServiceView, width: int, look: Look) -> Runs:
    """What is decided or waited for, held against what; the error budget at the right end."""
    left, right = _judged(view, width, look)
    return ends(left, right, width, look.glyphs.more)


def judged_lines(view: ServiceView, width: int, look: Look) -> tuple[Runs, ...]:
    """`judged_line`, with what does not fit in it on a line or two more: a reason ends with what to do."""
    left, right = _judged(view, width, look)
    room = max(width - length(right) - 1, 0)
    first, *below = folded(left, room, width, indent=INDENT, most=MOST, more=look.glyphs.more)
    return (ends(first, right, width, look.glyphs.more), *below)


def _judged(view: ServiceView, width: int, look: Look) -> tuple[Runs, Runs]:
    right = _budget(view, look)
    left: Runs = ((" ", look.palette.plain), *_said(view, look.palette))
    # Where a judge is at work, a line of its own names its control.
    if view.row.verdict is not None and view.judge is None:
        against = view.control or "nothing"
        for control in (f", against {against}", f" vs {against.partition(',')[0]}"):
            if length(left) + len(control) + length(right) < width:
                left = (*left, (control, look.palette.dim))
                break
    return left, right


def _said(view: ServiceView, palette: Palette) -> Runs:
    row = view.row
    said: Runs = ()
    if row.verdict is not None:
        said = ((verdict(row.verdict), palette.verdict(row.verdict)),)
        metric = named(view.panes, row.verdict)
        if metric is not None:
            effect = next((point[1] for point in reversed(metric.bounds) if point is not None), None)
            limit = limited(metric.limit, effect, metric.limit_at, passes=row.verdict is Verdict.PASS)
            said = (*said, (f" {metric.title} {metric.difference}{limit}", palette.plain))
        elif row.state not in ATTENTION:
            said = (*said, (f" {row.why}", palette.plain))
    if row.verdict is None or row.state in ATTENTION:
        why = row.why or ("nothing under way" if row.state is State.STEADY else "")
        state: Runs = ((row.state.value, palette.of(row)), (f" {why}", palette.plain))
        gap: Runs = (("  ", palette.plain),) if said else ()
        said = (*state, *gap, *said) if row.state in ATTENTION else (*said, *gap, *state)
    return said


def _budget(view: ServiceView, look: Look) -> Runs:
    """Time left first, coloured by whether a deploy is allowed; a bar where only the ratio is known."""
    budget, palette = view.row.budget, look.palette
    burn = UNKNOWN if budget.burn_1h is None else times(budget.burn_1h)
    word = "" if budget.deploy is Deploy.OK else f" {budget.deploy.value}"
    if budget.left_s is None:
        style = (
            palette.dim
            if budget.left is None
            else palette.fail
            if budget.left <= 0
            else palette.warn
            if budget.left < 0.25
            else palette.good
        )
        shown = bar(budget.left, 6, look.glyphs)
    else:
        style, shown = tone(budget, palette), time_left(budget.left_s)
    return (
        ("budget ", palette.dim),
        (shown, style),
        (f" {percent(budget.left)}", style),
        (f" burn 1h {burn}", palette.dim),
        *(((word, deploy_tone(budget.deploy, palette)),) if word else ()),
    )


def legend(view: ServiceView, look: Look, width: int, *, bounds: bool = False) -> Runs:
    """What dots and band are, and which control the canary is held against, as far as there is room."""
    palette, drawn = look.palette, pen(look)
    mark, band = ("⣿", drawn.band if drawn.band.strip() else "▒") if drawn.braille else ("*", drawn.band)
    control = view.control or "production"
    names = ("canary - control", "difference", "effect") if bounds else ("canary",)
    behind = (
        ("95% bounds", "bounds")
        if bounds
        else (f"{control} p10-90", control, f"{control.partition(',')[0]} p10-90", "p10-90")
    )
    for name in names:
        for text in behind:
            runs: Runs = ((f"{mark} {name}", palette.strong), (f"  {band} {text}", palette.dim))
            if length(runs) <= width:
                return runs
    return ()
