"""`pithead controller`: the pipeline in the foreground, for a shell, systemd, or whoever started it detached."""

import asyncio
import logging
import os
import signal
import sys
from argparse import Namespace
from importlib.resources import files

from pithead import logs
from pithead.exits import Exit, Failure
from pithead.out import Out

log = logging.getLogger("pithead.controller")


def _command(args: Namespace) -> str:
    """As systemd reads it: an absolute program, the configuration that was named, % and quotes kept literal."""
    words = [sys.executable, "-m", "pithead"]
    if args.config:
        from pithead.connect import config_path

        words += ["--config", str(config_path(args.config))]
    return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    kept = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{kept}"' if set(kept) & set(" \t'\"\\") else kept


def run(args: Namespace, out: Out) -> int:
    if args.print_unit:
        for line in files("pithead").joinpath("pithead.service").read_text().splitlines():
            out.line(line.replace("@PITHEAD@", _command(args)))
        return Exit.DONE
    from adapters.config import shifted
    from pithead.connect import configured
    from pithead.sockets import Heard, hear

    settings, places = configured(args, out)
    if args.second_octet is not None:
        settings = shifted(settings, args.second_octet)
    socket = places.socket(read_only=False)
    if hear(socket) is Heard.ANSWER:
        raise Failure("controller", f"another one answers at {socket}", "stop it first, or set another run_dir")
    logs.begin()
    if args.detached:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    from pithead.compose import serve

    async def main() -> None:
        told = asyncio.Event()
        _heed(told, hangup=not args.detached, life_line=args.life_line)
        await serve(settings, places, told, read_only=args.read_only)

    try:
        asyncio.run(main())
    except OSError as error:
        why = f"{error.strerror or error}: {error.filename or places.run}"
        raise Failure("controller", why, "mend that, or set another run_dir or state_dir") from error
    return Exit.DONE


def _heed(told: asyncio.Event, *, hangup: bool, life_line: bool) -> None:
    """Set `told` on a signal to stop, and, with a life line, when standard input is closed at its other end."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, *((signal.SIGHUP,) if hangup else ())):
        loop.add_signal_handler(number, told.set)

    def read() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            told.set()

    if life_line:
        loop.add_reader(0, read)
