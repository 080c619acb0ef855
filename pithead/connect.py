"""From the command line to the configuration and to the controller."""

import os
import shlex
from argparse import Namespace
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from adapters.config import ConfigErrors, NoConfig, Settings, find, load
from pipeline.model import Fleet
from pipeline.ports import ControlRoom
from pithead.exits import Exit, Failure
from pithead.out import Out
from pithead.peek import peek
from pithead.places import Places, places
from pithead.sockets import Heard, closed_to_us, hear

AskingVerb = Callable[[Namespace, ControlRoom, Out], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Found:
    """What a front end needs to know before it asks a controller."""

    settings: Settings
    """Without any service."""
    places: Places
    may_start: bool = False
    """Whether a controller may be started where none answers."""
    wrong: str = ""
    """What is wrong in the few lines that were read; the defaults stand in for it."""
    named: str = ""
    """The configuration as it was named on the command line, if it was."""

    def warn(self, out: Out) -> None:
        if self.wrong:
            out.error(f"{self.wrong}: the defaults stand in for it: pithead check")

    def nobody(self) -> Failure:
        """That no controller can be asked, and why: one that others use is not said to be missing."""
        for read_only in (False, True):
            socket = self.places.socket(read_only=read_only)
            if hear(socket) is Heard.FORBIDDEN:
                return Failure("controller", *closed_to_us(socket), Exit.UNKNOWN)
        why = f"no controller answers in {self.places.run}"
        words = ["pithead", *(("--config", self.named) if self.named else ()), "controller"]
        return Failure("controller", why, f"start one: {shlex.join(words)}", Exit.UNKNOWN)


def config_path(typed: str | None) -> Path:
    """The configuration that is meant. Raises `Failure` where there is none."""
    try:
        return find(Path(typed) if typed else None).absolute()
    except NoConfig as none:
        raise _no_config(none) from None


def configured(args: Namespace, out: Out) -> tuple[Settings, Places]:
    """The whole configuration, for those who work by it. Raises `Failure` after telling every error."""
    path = config_path(args.config)
    try:
        settings = load(path)
    except ConfigErrors as errors:
        for error in errors.errors:
            out.error(str(error))
        count = f"{len(errors.errors)} error{'s' if len(errors.errors) > 1 else ''}"
        raise Failure(str(path), count, "nothing was started", Exit.USAGE) from None
    return settings, places(settings, run_folder(args), state_folder(args))


def look_up(args: Namespace) -> Found:
    """Where the controller is; a configuration that cannot be read stops nothing here."""
    run = run_folder(args)
    try:
        path = find(Path(args.config) if args.config else None).absolute()
    except NoConfig as none:
        # Without any configuration a controller may still be reached, if its folder was named.
        if run is None:
            raise _no_config(none) from None
        return Found(nothing := Settings(Path(), Fleet(), ()), places(nothing, run))
    settings, wrong = peek(path)
    return Found(settings, places(settings, run), settings.start_controller and run is None, wrong, args.config or "")


def _no_config(none: NoConfig) -> Failure:
    return Failure("configuration", str(none), "name one with --config, or try: pithead demo", Exit.USAGE)


def run_folder(args: Namespace) -> Path | None:
    """Where the sockets are, by the command line or PITHEAD_RUN_DIR."""
    typed = args.run_dir or os.environ.get("PITHEAD_RUN_DIR")
    return Path(typed).absolute() if typed else None


def state_folder(args: Namespace) -> Path | None:
    """Where the history is, by the command line."""
    return Path(args.state_dir).absolute() if args.state_dir else None


async def asked(verb: AskingVerb, args: Namespace, out: Out) -> int:
    """Run a verb that asks the controller."""
    found = look_up(args)
    found.warn(out)
    socket = found.places.socket(read_only=args.read_only or found.settings.read_only)
    heard = hear(socket)
    if heard is Heard.FORBIDDEN:
        socket = found.places.socket(read_only=True)
        heard = hear(socket)
    if heard is not Heard.ANSWER:
        raise found.nobody()
    from adapters.api.client import ApiRoom

    room = ApiRoom(socket)
    try:
        return await verb(args, room, out)
    finally:
        await room.close()
