"""The lines that every screen has: `TopLine`, `KeyLine`, `LostBanner`; and who needs attention, counted.

`TopLine(where)` says where one is, how fresh the picture is, who may do what, the time, and how many alarms there are.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo

from rich.style import Style

from pipeline.judge.verdict import Verdict
from pipeline.view import ATTENTION, MOVING, ServiceRow, State
from tui.feed import Live
from tui.glyphs import Glyphs
from tui.room import RoomApp, room_of
from tui.theme import Palette
from tui.widgets.lines import Lines
from tui.widgets.runs import Run, Runs, length
from tui.words import clock, fit, hms, span

WIDE = 120
"""From this width on lines say more."""
LATE_TICKS = 3
"""So many ticks without news are late news."""
SKEW_S = 2.0
BANNER_MARGIN = 2


def needs_person(row: ServiceRow) -> bool:
    return row.watched or row.state in ATTENTION


def moving(row: ServiceRow) -> bool:
    return row.state in MOVING and not row.watched


def alarming(row: ServiceRow) -> bool:
    """Going wrong now, rather than waiting for someone."""
    return row.watched or row.verdict is Verdict.FAIL or row.state in (State.BACK, State.HOLD)


def alarms(rows: Iterable[ServiceRow]) -> int:
    return sum(map(alarming, rows))


def freshness(live: Live, now: float, palette: Palette) -> Run:
    """The controller's tick in "LIVE 2s"; the age of what is shown in "LATE 9s" and "LOST 14s"."""
    if live.view is None:
        return ("LOST", palette.alarm) if live.lost else ("ASKING", palette.warn)
    age = now - live.got
    if live.lost:
        return f"LOST {span(age)}", palette.alarm
    if age > max(LATE_TICKS * live.view.tick_s, 5.0):
        return f"LATE {span(age)}", palette.warn
    return f"LIVE {live.view.tick_s:g}s", palette.good


def top_line(
    where: str,
    live: Live,
    app: RoomApp,
    width: int,
) -> Runs:
    """` Pithead > fleet      LIVE 2s | RW mira | 14:07:31 UTC | !2`, with more said from `WIDE` on."""
    colors, now = app.palette, app.clock.monotonic()
    wide = width >= WIDE
    parts: list[Run] = []
    if wide and live.view is not None and not live.lost:
        parts.append(("controller ok", colors.dim))
    parts.append(freshness(live, now, colors))
    mode = "RO" if app.read_only else "RW"
    who = app.operator if wide else app.operator.partition("@")[0]
    parts.append((f"{mode} {fit(who, min(len(who), 32 if wide else 14), app.glyphs.more)}".rstrip(), colors.plain))
    parts.append((_time(app.clock.now(), app.zone, wide), colors.plain))
    rows = live.view.services if live.view else ()
    glass, count = sum(bool(row.glass) for row in rows), alarms(rows)
    fixes = sum(bool(row.security_fix) for row in rows)
    if fixes:
        parts.insert(0, (f"SECURITY FIX {fixes}", colors.alarm))
    if glass:
        parts.insert(0, (f"BREAK-GLASS {glass}", colors.alarm))
    parts.append((f"{'alerts ' if wide else ''}!{count}", colors.fail if count else colors.dim))
    right: list[Run] = []
    for part in parts:
        if right:
            right.append((f" {app.glyphs.separator} ", colors.dim))
        right.append(part)
    room = width - length(right) - 1
    return ((fit(f" Pithead > {where}", max(room - 1, 0), app.glyphs.more) + " ", colors.strong), *right)


def _time(now: datetime, zone: tzinfo | None, wide: bool) -> str:
    local = now.astimezone(zone)
    if not wide or local.utcoffset() == now.astimezone(UTC).utcoffset():
        return clock(now)
    return f"{clock(now)} ({local:%H:%M %Z})"


class TopLine(Lines):
    def __init__(self, where: str) -> None:
        super().__init__(id="top")
        self.where = where

    def on_mount(self) -> None:
        app = room_of(self)
        self.watch(app, "live", self.renew, init=True)
        self.watch(app, "beat", self.renew, init=False)

    def on_resize(self) -> None:
        self.renew()

    def renew(self) -> None:
        app = room_of(self)
        if self.screen.is_current:
            self.show(top_line(self.where, app.live, app, app.size.width))


def key_line(keys: Sequence[tuple[str, str, bool]], width: int, palette: Palette) -> Runs:
    """` ? help  Enter open`: (key, what it does, whether it works now) for as many as fit."""
    runs: list[Run] = [(" ", palette.plain)]
    left = width - 1
    for name, does, works in keys:
        size = len(name) + 1 + len(does)
        if size > left:
            break
        look: tuple[Style, Style] = (palette.key, palette.plain) if works else (palette.dim, palette.dim)
        runs += [(name, look[0]), (f" {does}  ", look[1])]
        left -= size + 2
    return tuple(runs)


class KeyLine(Lines):
    """The keys that work now; `offer` them whenever they change."""

    def __init__(self) -> None:
        super().__init__(id="keys")
        self._keys: Sequence[tuple[str, str, bool]] = ()

    def offer(self, keys: Sequence[tuple[str, str, bool]]) -> None:
        self._keys = keys
        self.show(key_line(keys, self.app.size.width, room_of(self).palette))

    def on_resize(self) -> None:
        self.offer(self._keys)


def lost_box(
    live: Live, now: float, width: int, glyphs: Glyphs, palette: Palette, *, q: str = "leave"
) -> tuple[Runs, ...]:
    """The banner of a lost controller, 5 lines; `q` is what that key does here."""
    seconds = max(int(now - live.got), 0) if live.view else 0
    shown = f"showing data of {hms(live.view.at)} UTC, " if live.view else "nothing to show yet, "
    retry = f"retry in {max(int(live.retry_at - now), 0)} s"
    side = (glyphs.box.vertical, palette.fail)
    body = (
        f" {shown}actions off, {retry}",
        " what runs on hosts goes on; a controller that lives rolls back without us",
        f" r retry now   ! show last error   q {q}",
    )
    title = f"CONTROLLER LOST {seconds} s" if live.view else "CONTROLLER LOST"
    return (
        ((glyphs.box.top(title, width), palette.alarm),),
        *((side, (fit(text, width - 2, glyphs.more), palette.plain), side) for text in body),
        ((glyphs.box.bottom("", width), palette.fail),),
    )


class LostBanner(Lines):
    """Is there while the controller does not answer, and only then."""

    DEFAULT_CSS = "LostBanner { height: 5; display: none; } LostBanner.-lost { display: block; }"

    def on_mount(self) -> None:
        app = room_of(self)
        self.watch(app, "live", self.renew, init=True)
        self.watch(app, "beat", self.renew, init=False)

    def on_resize(self) -> None:
        self.renew()

    def renew(self) -> None:
        app = room_of(self)
        self.set_class(bool(app.live.lost), "-lost")
        if app.live.lost and self.size.width:
            now = app.clock.monotonic()
            q = "leave" if self.screen is app.screen_stack[0] else "back"
            lines = lost_box(app.live, now, self.size.width - 2 * BANNER_MARGIN, app.glyphs, app.palette, q=q)
            self.show(*(((" " * BANNER_MARGIN, app.palette.plain), *line) for line in lines))


def skew_notice(live: Live, now: datetime, monotonic: float) -> str:
    """What to say if this machine's clock and the controller's differ by more than `SKEW_S`, else ""."""
    if live.view is None or live.lost:
        return ""
    ahead = (now - live.view.at).total_seconds() - (monotonic - live.got)
    if abs(ahead) <= SKEW_S + live.view.tick_s:
        return ""
    return f"this terminal's clock is {span(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} the controller's"
