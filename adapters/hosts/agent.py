"""The host's end of the agent protocol, as a state machine without I/O: agent-protocol.md, version 1.

A program that runs a host feeds it the requests, begins what `Answer.start` says, and tells it how
that ended. Everything that must not be got wrong (repeats, tokens, one deploy at a time) is in here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.hosts.protocol import (
    DEPLOY_PATH,
    LARGEST_TOKEN,
    STATE_PATH,
    VERSION,
    DeployBody,
    Malformed,
    Progress,
    decoded,
    is_operation,
)
from pipeline.events import Result
from pipeline.text import is_identifier, plain


@dataclass(frozen=True, slots=True)
class Start:
    """A deploy that the host must begin now, and report with `AgentLedger.finish`."""

    operation: str
    revision: str


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Mapping[str, object]
    start: Start | None = None

    def encoded(self) -> bytes:
        """The body as JSON."""
        return json.dumps(self.body).encode()


@dataclass(slots=True)
class _Known:
    revision: str
    restart: bool = False
    progress: Progress = Progress.RUNNING
    detail: str = ""


@dataclass(slots=True)
class AgentLedger:
    """What one host's agent must remember; bounded, the oldest operations are forgotten first."""

    host: str
    revision: str
    """What the host runs; "" while nothing runs."""
    healthy: bool = True
    detail: str = ""
    """What is wrong with the host, in a line."""
    available: tuple[str, ...] = ()
    """Revisions that the host could run; empty: any."""
    remembered: int = 256
    _token: int = field(default=0, init=False)
    _known: dict[str, _Known] = field(default_factory=dict, init=False)
    _running: str = field(default="", init=False)
    _newest: str = field(default="", init=False)

    def answer(self, method: str, path: str, body: bytes = b"") -> Answer:
        """The answer to any request; never raises for what is in it."""
        if path == STATE_PATH:
            return self.state() if method == "GET" else _error(405, "only GET is known here")
        if path == DEPLOY_PATH:
            return self.deploy(body) if method == "PUT" else _error(405, "only PUT is known here")
        return _error(404, "not a path of the agent protocol")

    def state(self) -> Answer:
        newest = self._known.get(self._newest)
        return Answer(
            200,
            {
                "version": VERSION,
                "host": self.host,
                "revision": self.revision,
                "healthy": self.healthy,
                "operation": self._newest,
                "outcome": (newest.progress if newest else Progress.NONE).value,
                "detail": "; ".join(said for said in (newest.detail if newest else "", self.detail) if said),
                **({"available": self.available} if self.available else {}),
                **({"restart": True} if newest and newest.restart else {}),
            },
        )

    def deploy(self, body: bytes) -> Answer:
        """Take an operation, repeat its outcome, or refuse it."""
        try:
            asked = decoded(body, DeployBody)
        except Malformed as why:
            return _error(400, str(why))
        if not is_operation(asked.operation) or not is_identifier(asked.revision):
            return _error(400, "operation and revision must be of A-Z a-z 0-9 . _ -")
        if not 0 <= asked.token <= LARGEST_TOKEN:
            return _error(400, "token out of range")
        if asked.host != self.host:
            return _error(421, plain(f"this is {self.host}, not {asked.host}"))
        known = self._known.get(asked.operation)
        if known is not None:
            return self._repeated(asked, known)
        if self.available and asked.revision not in self.available:
            return _error(404, plain(f"{asked.revision} is not to be had here"))
        if asked.token < self._token:
            return _error(412, f"token {asked.token} is older than {self._token}")
        self._token = asked.token
        if self._running:
            return _error(409, f"busy with {self._running}")
        return self._begun(asked)

    def finish(self, operation: str, result: Result, detail: str = "") -> None:
        """The deploy that was running has ended; `DONE` means that its revision runs now.

        Raises `ValueError` for an operation that is not running, or a result that is no end.
        """
        if operation != self._running or not operation:
            raise ValueError(f"{operation} is not running on {self.host}")
        known = self._known[operation]
        known.progress = Progress(result.value)
        known.detail = plain(detail)
        self._running = ""
        if known.progress is Progress.DONE:
            self.revision = known.revision

    def _repeated(self, asked: DeployBody, known: _Known) -> Answer:
        if known.revision != asked.revision:
            return _error(400, f"{asked.operation} was for {known.revision}, not {asked.revision}")
        return _outcome(asked.operation, known)

    def _begun(self, asked: DeployBody) -> Answer:
        known = _Known(asked.revision, asked.restart)
        while len(self._known) >= self.remembered:
            del self._known[next(iter(self._known))]
        self._known[asked.operation] = known
        self._newest = asked.operation
        if asked.revision == self.revision and self.healthy and not asked.restart:
            known.progress = Progress.DONE
            known.detail = "ran already"
            return _outcome(asked.operation, known)
        self._running = asked.operation
        return _outcome(asked.operation, known, Start(asked.operation, asked.revision))


def _outcome(operation: str, known: _Known, start: Start | None = None) -> Answer:
    return Answer(
        202 if known.progress is Progress.RUNNING else 200,
        {
            "version": VERSION,
            "operation": operation,
            "outcome": known.progress.value,
            "detail": known.detail,
            **({"restart": True} if known.restart else {}),
        },
        start,
    )


def _error(status: int, error: str) -> Answer:
    return Answer(status, {"version": VERSION, "error": error})
