"""What HAProxy's runtime API answers, read into values; no I/O.

Source: HAProxy's management guide, 9.1 (CSV format) and 9.3 ("show servers state", "show stat", "set server").
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag

from pipeline.text import PlainText, plain

STATE_VERSION = "1"
CORRECT = "correct the name here or in HAProxy's configuration"
_NAME = re.compile(r"[A-Za-z0-9_.:][A-Za-z0-9_.:-]{0,99}\Z")


class BalancerFault(Exception):
    """A balancer could not be asked or told; `why` is one plain line that says what to do."""

    def __init__(self, why: str, *, absent: bool = False, silent: bool = False) -> None:
        self.why: PlainText = plain(why)
        self.absent = absent
        """The balancer answers, and has no such backend or server."""
        self.silent = silent
        """It does not answer: it may be frozen or about to be started anew, so that asking again may help."""
        super().__init__(self.why)


class Admin(IntFlag):
    """Why a server is out of the traffic by someone's will: bits of srv_admin_state."""

    MAINT = 0x01
    MAINT_INHERITED = 0x02
    MAINT_CONFIGURED = 0x04
    """It began so by configuration; the bit stays when the server is made ready, and says nothing then."""
    DRAIN = 0x08
    DRAIN_INHERITED = 0x10
    MAINT_UNRESOLVED = 0x20
    """Its name gives no address."""


_MAINT = Admin.MAINT | Admin.MAINT_INHERITED | Admin.MAINT_UNRESOLVED
_DRAIN = Admin.DRAIN | Admin.DRAIN_INHERITED
_UP = frozenset({1, 2})
"""srv_op_state: starting, running; the others are stopped and stopping."""


_CHECKS = 0x02 | 0x04
"""srv_check_state: checks are configured, and enabled."""


@dataclass(frozen=True, slots=True)
class Server:
    """One server of a backend, as a balancer has it."""

    name: str
    up: bool
    """By the balancer's own checks; a server without checks is up."""
    admin: Admin
    weight: int
    checked: bool = False
    """The balancer looks at its health by itself, as far as it says."""

    @property
    def maint(self) -> bool:
        return bool(self.admin & _MAINT)

    @property
    def drained(self) -> bool:
        return bool(self.admin & _DRAIN)

    @property
    def out(self) -> bool:
        """Somebody has taken it out of the traffic."""
        return self.maint or self.drained

    @property
    def ready(self) -> bool:
        """New requests go to it."""
        return self.up and not self.out and self.weight > 0


@dataclass(frozen=True, slots=True)
class Load:
    """What a server has to do at this moment."""

    sessions: int
    queued: int
    serving: bool
    """New requests go to it, as far as its status says."""

    @property
    def idle(self) -> bool:
        return self.sessions == 0 and self.queued == 0


def is_name(name: str) -> bool:
    """Whether HAProxy could have a backend or server of this name: 1 to 100 of `A-Za-z0-9_.:-`, no leading dash."""
    return _NAME.match(name) is not None


def servers(raw: str, backend: str) -> Mapping[str, Server]:
    """The servers of `backend` by name, from "show servers state". Raises `BalancerFault`."""
    lines = raw.splitlines()
    if len(lines) < 2 or lines[0].strip() != STATE_VERSION or not lines[1].startswith("# "):
        raise BalancerFault(f'malformed servers state: "{plain(raw, 60)}"')
    columns = lines[1][2:].split(" ")
    found = {}
    for line in filter(None, lines[2:]):
        row = dict(zip(columns, line.split(" "), strict=False))
        if row.get("be_name") == backend:
            server = _server(row)
            found[server.name] = server
    return found


def _server(row: Mapping[str, str]) -> Server:
    try:
        return Server(
            name=row["srv_name"],
            up=_count(row["srv_op_state"]) in _UP,
            admin=Admin(_count(row["srv_admin_state"])),
            weight=_count(row["srv_uweight"]),
            checked=_count(row.get("srv_check_state", "0")) & _CHECKS == _CHECKS,
        )
    except (KeyError, ValueError) as error:
        raise BalancerFault(f"malformed servers state: {plain(str(error), 60)}") from None


def load(raw: str, backend: str, server: str) -> Load:
    """What `server` has to do, from the CSV of "show stat". Raises `BalancerFault`."""
    if not raw.startswith("# pxname,"):
        raise BalancerFault(f'malformed statistics: "{plain(raw, 60)}"')
    try:
        for row in csv.DictReader(raw[2:].splitlines(), strict=True):
            if row["pxname"] == backend and row["svname"] == server:
                return Load(
                    sessions=_count(row["scur"]),
                    queued=_count(row["qcur"]),
                    serving=row["status"].startswith(("UP", "no check", "NOLB")),
                )
    except (csv.Error, KeyError, ValueError, AttributeError) as error:
        raise BalancerFault(f"malformed statistics: {plain(str(error), 60)}") from None
    raise no_server(backend, server)


def _count(text: str | None) -> int:
    """A whole number of 0 or more; `ValueError` for everything else."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 18:
        raise ValueError(f"{text!r} is not a count")
    return int(text)


def no_backend(backend: str) -> BalancerFault:
    return BalancerFault(f"no backend {plain(backend, 100)}: {CORRECT}", absent=True)


def no_server(backend: str, server: str) -> BalancerFault:
    return BalancerFault(f"no server {plain(server, 100)} in backend {plain(backend, 100)}: {CORRECT}", absent=True)
