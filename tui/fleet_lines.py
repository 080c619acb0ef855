"""The lines of text around the list of services. Pure."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from textual.geometry import Size

from pipeline.events import Event
from pipeline.view import FleetView, ServiceRow, State
from tui.fleet_order import Choice
from tui.marks import said_of, warned
from tui.status import WIDE, alarms, moving, needs_person
from tui.widgets.pane import Look, folded
from tui.widgets.runs import Runs, length
from tui.words import fit, harmless, hms


def counts_line(rows: Sequence[ServiceRow], shown: int, choice: Choice, width: int, look: Look) -> Runs:
    """` 42 services  32 steady  5 moving  5 attention     sort:attention`; each state from `WIDE` on."""
    colors = look.palette
    total = f" {len(rows)} {'service' if len(rows) == 1 else 'services'}"
    if choice.filter or choice.preset != "all":
        total = f" {shown} of {len(rows)} {'service' if len(rows) == 1 else 'services'}"
    if width >= WIDE:
        total += ":"
        counted = [f"{count} {state.lower()}" for state, count in _by_state(rows)]
    else:
        attention = sum(map(needs_person, rows))
        busy = sum(map(moving, rows))
        counted = [f"{len(rows) - attention - busy} steady", f"{busy} moving", f"{attention} attention"]
    chosen = [f"/{choice.filter}"] if choice.filter else []
    if choice.preset != "all":
        chosen.append(f"only:{choice.preset}")
    chosen.append(f"sort:{choice.order}{' reversed' if choice.backwards else ''}")
    right = fit("  ".join(chosen), min(len("  ".join(chosen)), width // 2), look.glyphs.more)
    left = "  ".join([total, *counted]) if width < WIDE else f"{total} {'  '.join(counted)}"
    return (
        (fit(left, max(width - len(right) - 2, 0), look.glyphs.more) + " ", colors.plain),
        (right, colors.dim if len(chosen) == 1 else colors.warn),
    )


def _by_state(rows: Sequence[ServiceRow]) -> list[tuple[State, int]]:
    """The steady first, then by number."""
    counted = Counter(row.state for row in rows)
    return sorted(counted.items(), key=lambda pair: (pair[0] is not State.STEADY, -pair[1]))


def why_lines(
    row: ServiceRow | None, place: int, of: int, width: int, look: Look, at: datetime | None = None
) -> tuple[Runs, ...]:
    """`-- checkout-api: bake 41/60 min ------`: why the selected row is in its state, on one line or two."""
    rule, colors = look.glyphs.box.horizontal, look.palette
    if row is None:
        return (((rule * width, colors.dim),),)
    name = harmless(row.name)
    lead = f"{rule}{rule} {fit(name, min(len(name), width // 2), look.glyphs.more)}: "
    end = f" {place}/{of} {rule}" if of and width >= WIDE else f" {rule}"
    alerts = f"{row.alerts} alert{'s fire' if row.alerts > 1 else ' fires'}; " if row.alerts else ""
    why = f"{alerts}{row.why}"
    marks = said_of(row, at, colors, short=True) if at is not None else ()
    said: Runs = (*marks, (harmless(why), colors.of(row)), *warned(row, colors))
    first, *below = folded(said, width - len(lead) - len(end), width, indent=3, more=look.glyphs.more)
    room = width - len(lead) - length(first)
    rest = end.rjust(room) if below else f" {end.rjust(room - 1, rule)}" if room > len(end) else end
    return ((lead, colors.dim), *first, (rest, colors.dim)), *below


def last_line(event: Event | None, width: int, look: Look) -> Runs:
    """` 14:06:58 auto  cart r512 prod 10%->25% PASS`: the newest thing that happened."""
    if event is None:
        return ()
    who = f" {hms(event.at)} {event.who.name}  "
    what = f"{event.service} {event.revision} {event.detail}"
    return (who, look.palette.dim), (fit(what, max(width - len(who), 0), look.glyphs.more), look.palette.dim)


def notice_lines(notices: Sequence[str], width: int, look: Look) -> tuple[Runs, ...]:
    return tuple(((fit(f" ! {notice}", width, look.glyphs.more), look.palette.alarm),) for notice in notices)


def empty_lines(view: FleetView | None, choice: Choice, look: Look) -> tuple[Runs, ...]:
    """What to say where no service is shown."""
    colors = look.palette
    if view is None:
        return ((), (("   asking the controller for its services ...", colors.dim),))
    if not view.services:
        return (
            (),
            (("   No services yet.", colors.strong),),
            (
                (
                    "   The controller's configuration names none. Add one to its config.toml and restart it:",
                    colors.plain,
                ),
            ),
            (),
            (("   [service.checkout]", colors.move),),
            (('   revision = "1.0.0"', colors.move),),
            (('   hosts = ["web-1"]', colors.move),),
        )
    said = f"/{choice.filter}" if choice.filter else f"only:{choice.preset}"
    hint = "Esc clears the filter" if choice.filter else "1 shows every service"
    return ((), ((f"   No service matches {said}. {hint}.", colors.warn),))


def too_small(rows: Sequence[ServiceRow], size: Size, width: int, height: int, look: Look) -> tuple[Runs, ...]:
    """In place of the page: what is needed, and still the service that needs someone most."""
    colors = look.palette
    lines: list[Runs] = [((f"too small, have {size.width}x{size.height}, need {width}x{height}", colors.warn),)]
    worst = min(rows, key=lambda row: row.attention, default=None)
    if worst is not None:
        lines.append(((f"{look.glyphs.of(worst)} {worst.state} {worst.name}", colors.of(worst)),))
        lines.append(((worst.why, colors.plain),))
    lines.append(((f"!{alarms(rows)}  q quits", colors.dim),))
    return tuple(lines)
