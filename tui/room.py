"""`RoomApp`: what every full-screen program of the project does alike, whatever its screens show.

It follows the controller (`live`), beats once a second (`beat`), chooses glyphs and colours for the terminal, keeps
control characters off it, and gives it back whole: on quit, on SIGTERM and SIGHUP, after Ctrl+Z, and in a crash.
Widgets reach it by `room_of(self)`.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from pathlib import Path
from typing import Any, ClassVar, Literal

from rich.console import Console, RenderableType
from rich.text import Text
from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.events import Key
from textual.filter import LineFilter, Monochrome, NoColor
from textual.reactive import var
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from pipeline.ports import Clock, ControlRoom
from pipeline.view import FleetView
from tui.clock import WallClock
from tui.crash import keep_trace, last_words
from tui.feed import LONGEST_S, Fresh, Live, Lost, follow
from tui.glyphs import ASCII, UNICODE, Glyphs
from tui.keys import VIEWS, remap
from tui.narrow import Terminal
from tui.output import NoColors, NoControls, OnlyAscii
from tui.page_keys import PAGES
from tui.theme import PLAIN_THEME, THEME, Colors, Palette, palette
from tui.watchdog import Watchdog
from tui.widgets.prompt import Prompt

AGAIN_S = 2.0
"""Within this time a second Ctrl+C leaves."""


class RoomApp(App[None]):
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    .-ascii Toast.-information { border-left: ascii $success; }
    .-ascii Toast.-warning { border-left: ascii $warning; }
    .-ascii Toast.-error { border-left: ascii $error; }
    """
    BINDINGS: ClassVar = [
        # with priority: in a dialog other bindings of the app do not count
        Binding("ctrl+c", "interrupt", "Leave", priority=True),
        Binding("ctrl+z", "suspend_process", "Suspend", priority=True),
        Binding("ctrl+l", "repaint", "Redraw", priority=True),
    ]

    live: var[Live] = var(Live())
    """The newest of the fleet; screens watch it."""
    beat: var[int] = var(0)
    """One more each second; ages and the clock watch it."""

    def __init__(
        self,
        room: ControlRoom,
        *,
        read_only: bool = False,
        ascii: bool = False,  # noqa: A002  (the option's name)
        operator: str = "",
        first: FleetView | None = None,
        colors: Colors | None = None,
        clock: Clock | None = None,
        zone: tzinfo | None = None,
        crash_folder: Path | None = None,
        keys: Mapping[str, str] | None = None,
        beside: str = "",
    ) -> None:
        """Nothing is asked and nothing is drawn until `open`.

        Args:
            room: the controller; it is first asked after the first paint.
            read_only: no key that changes anything is offered; a read-only `room` implies it.
            ascii: draw in ASCII also where the terminal could do more.
            operator: who is at the terminal, "mira" or "mira@bastion-3"; for show, not for rights.
            first: a view that is at hand already, for the first paint.
            colors: None is what the terminal says of itself, and none at all under NO_COLOR.
            zone: of the local time shown beside UTC; None is the machine's.
            crash_folder: where a trace goes; None is the system's for temporary files.
            keys: action ids to other keys; raises `tui.keys.KeyMapError` for those that cannot be.
            beside: how a verb reaches the same controller from another terminal, for the help page.
        """
        # the toolkit counts an empty NO_COLOR as set, which the convention does not
        silent = bool(os.environ.get("NO_COLOR"))
        super().__init__()
        if colors is not None and colors is not Colors.NONE:
            self.console = Console(
                color_system=_console_colors(colors),
                file=self.console.file,
                force_terminal=True,
                highlight=False,
                emoji=False,
                legacy_windows=False,
            )
        self.animation_level: Literal["none", "basic", "full"] = "none"
        self.room = room
        self.read_only = read_only or room.read_only
        self.operator = operator
        self.beside = beside
        self.clock: Clock = clock or WallClock()
        self.zone = zone
        self.glyphs: Glyphs = ASCII if ascii or not _speaks_utf8() else UNICODE
        depth = colors or (Colors.NONE if silent else Colors(self.console.color_system or "none"))
        self.palette: Palette = palette(depth)
        self.set_class(self.glyphs is ASCII, "-ascii")
        self._clean: list[LineFilter] = [NoControls()]
        if not _speaks_utf8():
            self._clean.append(OnlyAscii())
        if depth is Colors.NONE:
            self._clean.append(NoColors())
        self.register_theme(THEME)
        self.theme = THEME.name if depth in (Colors.TRUE, Colors.MANY) else PLAIN_THEME
        self._crash_folder = crash_folder
        self._hurry = asyncio.Event()
        self._terminal = Terminal()
        self._interrupted = float("-inf")
        self._watchdog: Watchdog | None = None
        if keys:
            self.set_keymap(remap(keys, {**VIEWS, **PAGES}))
        if first is not None:
            self.live = Live(first, self.clock.monotonic())

    def get_line_filters(self) -> Sequence[LineFilter]:
        toolkit = [each for each in super().get_line_filters() if not isinstance(each, Monochrome | NoColor)]
        return [*toolkit, *self._clean]

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, self._terminal.narrowed(renderable))

    def open(self) -> None:
        """Run until the operator leaves; no mouse over SSH, where its reports cost traffic and selection."""
        with Watchdog(sys.__stdin__.fileno() if sys.__stdin__ else 0) as self._watchdog:
            self.run(mouse="SSH_CONNECTION" not in os.environ)

    def on_mount(self) -> None:
        self.app_resume_signal.subscribe(self, lambda _: self.action_repaint())
        if self._watchdog is not None:
            loop = asyncio.get_running_loop()
            self._watchdog.leave = lambda: loop.call_soon_threadsafe(self.exit)
        self.set_interval(1.0, self._on_beat)
        self.call_after_refresh(self._follow)

    def _follow(self) -> None:
        feed = follow(self.room.fleet, self.post_message, self.clock, self._hurry)
        self.run_worker(feed, name="fleet", exit_on_error=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A feed that failed in a way nobody foresaw is a lost line as well, not the end of the room."""
        if event.worker.name == "fleet" and event.state is WorkerState.ERROR:
            why = f"the feed failed: {type(event.worker.error).__name__}"
            self.post_message(Lost(why, self.clock.monotonic() + LONGEST_S))
            self.set_timer(LONGEST_S, self._follow)

    def on_fresh(self, message: Fresh[FleetView]) -> None:
        self.live = Live(message.view, message.got)

    def on_lost(self, message: Lost) -> None:
        self.live = replace(self.live, lost=message.why, retry_at=message.retry_at)

    def _on_beat(self) -> None:
        self.beat += 1

    def hurry(self) -> None:
        """Try a lost controller again now."""
        self._hurry.set()

    def on_key(self, event: Key) -> None:
        """Give a key to the line that is typed in, also if it set out before that line had the focus.

        Else the `p` of a quick `/pay` pauses a rollout.
        """
        if isinstance(self.focused, Prompt) and self.focused.take(event):
            event.stop()
            event.prevent_default()

    def on_resize(self) -> None:
        self._terminal.forget()

    def action_repaint(self) -> None:
        self._terminal.forget()
        self.refresh(layout=True)

    def action_suspend_process(self) -> None:
        """Stop the whole job: a shell takes the terminal back only once also a `make` that started us has stopped.

        It takes it back at once then, and may go on at once: the terminal is restored before, and one signal stops all,
        so that none stops after it was told to go on. Where no shell could go on with it, nothing stops.
        """
        if self._driver is None or not self._driver.can_suspend:
            return
        with self.suspend():
            # The toolkit's handler, if it runs after this block, starts its input and output a second time.
            going_on = signal.signal(signal.SIGCONT, signal.SIG_IGN)
            own = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            os.killpg(os.getpgrp(), signal.SIGTSTP)
            signal.signal(signal.SIGTSTP, own)
            signal.signal(signal.SIGCONT, going_on)

    def action_interrupt(self) -> None:
        now = self.clock.monotonic()
        if now - self._interrupted <= AGAIN_S:
            self.exit()
            return
        self._interrupted = now
        self.notify("Ctrl+C again leaves. Rollouts go on without this screen.", markup=False, timeout=AGAIN_S)

    def handle_bindings_clash(self, clashed_bindings: set[Binding], node: DOMNode) -> None:
        """A key must never do something else than its help says; `remap` has refused clashes before."""
        del node
        names = ", ".join(sorted(binding.id or binding.action for binding in clashed_bindings))
        self.notify(f"two actions want one key: {names}", severity="error", markup=False)

    def _fatal_error(self) -> None:
        if self._exit:
            # keys that came after `q` found a page half taken down
            return
        error = sys.exc_info()[1] or self._exception or RuntimeError("unknown")
        self.panic(Text(last_words(error, keep_trace(error, self._crash_folder))))


def room_of(node: DOMNode) -> RoomApp:
    app = node.app
    assert isinstance(app, RoomApp)  # noqa: S101  (a screen of ours in a foreign app is a mistake in the code)
    return app


def _console_colors(colors: Colors) -> Literal["truecolor", "256", "standard"]:
    return "truecolor" if colors is Colors.TRUE else "256" if colors is Colors.MANY else "standard"


def _speaks_utf8() -> bool:
    stream = sys.__stderr__
    return stream is None or (stream.encoding or "").lower().replace("-", "") == "utf8"
