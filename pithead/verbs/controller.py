"""`pithead controller`: the pipeline in the foreground, for a shell, systemd, or whoever started it detached."""

import asyncio
import logging
import os
import select
import shlex
import signal
import socket
import struct
import sys
from argparse import Namespace
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from pithead import logs
from pithead.exits import Exit, Failure
from pithead.out import Out

log = logging.getLogger("pithead.controller")
STOP_S = 30.0
"""How long a controller may take to end."""
ANSWER_S = 2.0
PEER = struct.Struct("3i")
"""Linux's `struct ucred`: pid, uid, gid."""


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
    if args.stop:
        return _stop(args, out)
    from adapters.config import shifted
    from pithead.connect import configured
    from pithead.sockets import Heard, closed_to_us, hear

    settings, places = configured(args, out)
    if args.second_octet is not None:
        settings = shifted(settings, args.second_octet)
    path = places.socket(read_only=False)
    heard = hear(path)
    if heard is Heard.FORBIDDEN:
        raise Failure("controller", *closed_to_us(path))
    if heard is Heard.ANSWER:
        named = f"--config {shlex.quote(args.config)} " if args.config else ""
        mend = f"stop it: pithead {named}controller --stop, or set another run_dir"
        raise Failure("controller", f"another one answers at {path}", mend)
    logs.begin()
    if args.detached:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    from adapters.balancer.book import BookFault
    from pithead.compose import serve

    async def main() -> None:
        told = asyncio.Event()
        _heed(told, hangup=not args.detached, life_line=args.life_line)
        await serve(settings, places, told, read_only=args.read_only)

    try:
        asyncio.run(main())
    except BookFault as error:
        raise Failure("controller", str(error), "then start it again; no host was touched") from error
    except OSError as error:
        why = f"{error.strerror or error}: {error.filename or places.run}"
        raise Failure("controller", why, "mend that, or set another run_dir or state_dir") from error
    return Exit.DONE


def _stop(args: Namespace, out: Out) -> int:
    """Tell the controller that answers to end, and wait until it has. Raises `Failure` where none does."""
    from pithead.connect import look_up, run_folder, state_folder
    from pithead.places import places

    found = look_up(args)
    if args.state_dir:
        found = replace(found, places=places(found.settings, run_folder(args), state_folder(args)))
    pid = _holder(found.places.socket(read_only=False))
    if not _ended(pid):
        why = f"process {pid} has not ended {STOP_S:.0f} s after SIGTERM"
        raise Failure("controller", why, f"kill -9 {pid} loses nothing: the next one goes on where it was")
    out.line(f"controller {pid} has stopped; what runs on hosts goes on")
    return Exit.DONE


def _holder(path: Path) -> int:
    """The process that listens at `path`, by the kernel's word. Raises `Failure` where that cannot be known."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(ANSWER_S)
        try:
            line.connect(str(path))
            pid, _, _ = PEER.unpack(line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))
        except PermissionError as error:
            raise Failure("controller", f"{path} is not yours", "ask whoever started it") from error
        except OSError as error:
            why = f"no controller answers in {path.parent}"
            raise Failure("controller", why, "there is nothing to stop", Exit.UNKNOWN) from error
    if pid <= 0:
        why = f"whoever answers at {path} is in another container"
        raise Failure("controller", why, "stop it there", Exit.UNKNOWN)
    return int(pid)


def _ended(pid: int) -> bool:
    """Whether `pid` ended within `STOP_S` of being told to; held by its handle, so that no other process is hit."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        return bool(select.select([handle], [], [], STOP_S)[0])
    except ProcessLookupError:
        return True
    except PermissionError as error:
        raise Failure("controller", f"process {pid} is not yours", "ask whoever started it") from error
    finally:
        os.close(handle)


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
