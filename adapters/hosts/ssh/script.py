"""What is fed to the host's shell, and what its answer says."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path

from adapters.hosts.protocol import is_operation
from adapters.hosts.ssh.client import Ran
from adapters.hosts.ssh.faults import Kind, SshFault
from adapters.hosts.ssh.process import Feed
from adapters.hosts.ssh.recipes import Way
from adapters.hosts.ssh.words import argv, word
from pipeline.text import PlainText, is_identifier, plain

_LONGEST_KEY = 150


class Verb(StrEnum):
    STATE = "state"
    DEPLOY = "deploy"
    RESTART = "restart"
    """A deploy that begins the process anew though the revision runs."""
    FOLLOW = "follow"
    """How one operation stands."""
    UPLOAD = "upload"
    LOGS = "logs"


@dataclass(frozen=True, slots=True)
class Order:
    """One call of the helper."""

    verb: Verb
    host: str
    way: Way
    nonce: str
    operation: str = ""
    revision: str = ""
    token: int = 0
    digest: str = ""
    """Of the artifact, where the host is to check or to take it."""
    log: tuple[str, ...] = ()
    lines: int = 0

    def feed(self, body: Path | None = None) -> Feed:
        """For `SshClient.run`. Raises `ValueError` for what may not be told to a host."""
        text = _part("common.sh") + _part("helper.sh")
        begin = "begin\n"
        go = "main\n"
        if self.verb in {Verb.DEPLOY, Verb.RESTART}:
            mark = f"PITHEAD-{self.nonce}-WORKER"
            worker = f"{self._header()}{_part('common.sh')}{_part('worker.sh')}work\n"
            text += f"worker() {{ cat <<'{mark}'\n{worker}{mark}\n}}\n"
        elif self.verb is Verb.UPLOAD:
            begin, go = "upload\n", ""
        return Feed(
            text=f"{self._header()}{text}{begin}".encode(),
            ready=f"\nPITHEAD-{self.nonce} begin ".encode(),
            go=go.encode(),
            body=body,
            end=f"\nPITHEAD-{self.nonce} end {self.closing}\n".encode(),
        )

    @property
    def closing(self) -> str:
        """What the helper's last line says: without it, nothing was answered."""
        return self.operation or self.digest or self.verb.value

    def _header(self) -> str:
        if self.operation and not is_operation(self.operation):
            raise ValueError(f'operation "{plain(self.operation, 60)}" is no name of one')
        if self.revision and not is_revision(self.revision):
            raise ValueError(f'revision "{plain(self.revision, 60)}" cannot be a folder on the host')
        values = {
            "nonce": word(self.nonce),
            "verb": self.verb.value,
            "closing": word(self.closing),
            "operation": word(self.operation),
            "key": word(_key(self.operation)),
            "wanted": word(self.revision),
            "token": str(self.token),
            "restarting": "1" if self.verb is Verb.RESTART else "0",
            "digest": word(self.digest),
            "lines": str(self.lines),
            "log_words": argv(self.log, {"service": self.way.service, "host": self.host}),
            **self.way.variables(self.host, self.revision or "none"),
        }
        return "".join(f"{name}={value}\n" for name, value in values.items())


def is_revision(name: str) -> bool:
    """Whether a revision may name a folder on a host, beside those the helper makes."""
    return is_identifier(name) and name not in {".", ".."} and not name.endswith(".tmp")


def _key(operation: str) -> str:
    """The operation as part of a file's name, which is shorter than an operation may be."""
    if len(operation) <= _LONGEST_KEY:
        return f"op-{operation}"
    return f"op-{operation[:_LONGEST_KEY]}-{hashlib.sha256(operation.encode()).hexdigest()[:32]}"


@cache
def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Answers:
    """The helper's lines: cleaned, and whole."""

    values: Mapping[str, PlainText]
    """The last of each key."""
    available: tuple[str, ...]
    lines: tuple[PlainText, ...]
    """Of a log."""

    def __getitem__(self, key: str) -> PlainText:
        return self.values.get(key, plain(""))


def answers(ran: Ran, nonce: str, closing: str) -> Answers | SshFault:
    """What the helper said, whatever else is on stdout; a fault if it did not come to its end."""
    prefix = f"PITHEAD-{nonce} ".encode()
    values: dict[str, PlainText] = {}
    available: list[str] = []
    lines: list[PlainText] = []
    for raw in ran.out.split(b"\n"):
        if not raw.startswith(prefix):
            continue
        name, _, value = raw[len(prefix) :].partition(b" ")
        key = name.decode("ascii", "replace")
        if key == "line":
            lines.append(plain(value.rstrip(b"\r")))
        elif key == "available":
            available.append(plain(value, 120))
        elif key == "end" and value == closing.encode():
            return Answers(values, tuple(filter(is_revision, available)), tuple(lines))
        else:
            values[key] = plain(value)
    return _unfinished(ran, begun="begin" in values)


def _unfinished(ran: Ran, *, begun: bool) -> SshFault:
    said = [line for line in (ran.err or ran.out).splitlines() if line.strip()]
    last = f": {plain(said[-1].strip(), 150)}" if said else ""
    end = "ended" if ran.status is None else f"exit {ran.status}"
    if begun:
        return SshFault(Kind.OTHER, plain(f"the helper stopped on the host ({end}{last})", 300), reached=ran.begun)
    why = f"the login there runs no `sh -s` ({end}{last}): give it a shell, and no forced command"
    return SshFault(Kind.OTHER, plain(why, 300))
