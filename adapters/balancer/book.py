"""The drain book: which servers Pithead itself has taken out of the traffic, so that it can put them back.

A small file of the controller's. Without it a controller that starts anew could not tell its own drain, which
it must undo, from a person's, which it must leave.
"""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from pipeline.text import plain

VERSION = 1


class BookFault(Exception):
    """The book cannot be read; its text says what to do."""


class Drained(msgspec.Struct, frozen=True):
    """One host that is drained by us, or about to be."""

    host: str
    operation: str
    """What it was drained for."""
    backend: str
    server: str
    balancers: tuple[str, ...]
    """Addresses of those that were to drain it."""
    at: datetime


class _Page(msgspec.Struct, frozen=True):
    version: int
    drained: tuple[Drained, ...]


class DrainBook:
    """Written whole at every change, by rename, and on disk before anything is drained."""

    def __init__(self, path: Path) -> None:
        """Read what is there; raises `BookFault` where that cannot be read."""
        self._path = path
        self._entries: dict[str, Drained] = {entry.host: entry for entry in _read(path)}

    @property
    def entries(self) -> Mapping[str, Drained]:
        """By host."""
        return self._entries

    def put(self, entry: Drained) -> str:
        """Note it, in the place of what was noted of the host; "", or why it is not on disk but only in memory."""
        self._entries[entry.host] = entry
        return self._write()

    def strike(self, host: str) -> str:
        """The host is drained by us no more; "", or why the disk does not know. A stale line does no harm."""
        return self._write() if self._entries.pop(host, None) is not None else ""

    def _write(self) -> str:
        fresh = self._path.with_name(self._path.name + ".new")
        raw = msgspec.json.encode(_Page(VERSION, tuple(self._entries.values())))
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with fresh.open("wb") as file:
                file.write(msgspec.json.format(raw) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
            _settle(self._path.parent)
        except OSError as error:
            return plain(f"the drain book {self._path} cannot be written: {error.strerror or error}")
        return ""


def _read(path: Path) -> tuple[Drained, ...]:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise BookFault(f"drain book {path}: {error.strerror or error}: let this user read it") from error
    advice = "put the servers that it names back by hand, then delete it"
    try:
        page = msgspec.json.decode(raw, type=_Page)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BookFault(f"drain book {path}: malformed: {plain(str(error), 200)}: {advice}") from error
    if page.version != VERSION:
        raise BookFault(f"drain book {path}: version {page.version}, not {VERSION}: {advice}")
    return page.drained


def _settle(folder: Path) -> None:
    """The rename itself is on disk only with its folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
