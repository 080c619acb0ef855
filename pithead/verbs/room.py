"""`pithead` and `pithead wallboard`: the screens, and nothing imported before them that they do not need."""

import gc
import os
import sys
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from pipeline.ports import ControllerLost
from pithead.connect import Found, configured, look_up
from pithead.exits import Exit, Failure
from pithead.out import Out
from pithead.places import FULL, VIEW
from pithead.sockets import Heard, hear

if TYPE_CHECKING:
    from adapters.api.first_look import Asked
    from pipeline.view import FleetView
    from tui.room import RoomApp

FIRST_S = 1.0
"""How long the first paint waits for the first view."""
COLORS = {"truecolor": "truecolor", "256": "256", "16": "standard", "never": "none"}
"""From `--color` to the values of `tui.theme.Colors`."""


def run(args: Namespace, out: Out) -> int:
    from pithead.daemon import Detached

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Failure("pithead", "this is no terminal", "pithead status prints the same", Exit.USAGE)
    found = look_up(args)
    heard = {hear(found.places.run / name) for name in (FULL, VIEW)}
    if Heard.ANSWER not in heard:
        # Beside one that may not be used there would be two of them on the same hosts.
        if not found.may_start or Heard.FORBIDDEN in heard:
            found.warn(out)
            raise found.nobody()
        # Its errors belong here, not at the end of a log.
        configured(args, out)
        started = Detached(found.places)
        load(args.verb)
        started.wait()
    show(found, args)
    return Exit.DONE


def load(verb: str) -> "type[RoomApp]":
    """Import the screens; the longest part of a start."""
    # A collection in the middle of imports finds nothing and costs a tenth of them.
    gc.disable()
    if verb == "wallboard":
        from tui.wallboard import WallboardApp

        screens: type[RoomApp] = WallboardApp
    else:
        from tui.app import PitheadApp

        screens = PitheadApp
    gc.freeze()
    gc.enable()
    return screens


def show(found: Found, args: Namespace, beside: str = "") -> None:
    """The screens on the controller that was found, until the operator leaves; `beside` it a verb reaches it so."""
    from adapters.api.first_look import ask

    read_only = args.read_only or found.settings.read_only or args.verb == "wallboard"
    read_only = read_only or hear(found.places.run / FULL) is Heard.FORBIDDEN
    socket = found.places.socket(read_only=read_only)
    asked = ask(socket)
    screens: Callable[..., RoomApp] = load(args.verb)
    if args.verb == "wallboard" and args.page_seconds is not None:
        screens = partial(screens, page_s=args.page_seconds)
    from zoneinfo import ZoneInfo

    from pithead.hangup import leave_with_the_terminal
    from pithead.room import LazyRoom
    from tui.theme import Colors

    color = args.color if args.color != "auto" else found.settings.ui.color
    app = screens(
        LazyRoom(socket, read_only=read_only),
        read_only=read_only,
        ascii=args.ascii or bool(found.settings.ui.ascii),
        operator=operator(),
        first=_first(asked),
        colors=Colors(COLORS[color]) if color in COLORS else None,
        zone=ZoneInfo(found.settings.ui.timezone),
        beside=beside,
    )
    leave_with_the_terminal()
    app.open()


def _first(asked: "Asked") -> "FleetView | None":
    """The newest view; a controller that is too slow for it is waited for in the room."""
    try:
        return asked.fleet(FIRST_S)
    except ControllerLost:
        return None


def operator() -> str:
    """Who is at the terminal, "mira@bastion-3"; for show."""
    import pwd
    import socket

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    host = socket.gethostname().partition(".")[0]
    return f"{name}@{host}" if "SSH_CONNECTION" in os.environ else name
