"""The agent protocol's words, for both of its ends: agent-protocol.md, version 1."""

import re
from enum import StrEnum
from typing import TypeVar

import msgspec

from pipeline.text import plain

VERSION = 1
STATE_PATH = "/agent/v1/state"
DEPLOY_PATH = "/agent/v1/deploy"
LARGEST_TOKEN = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly."""

_OPERATION = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._-]{0,399}\Z")


class Progress(StrEnum):
    NONE = "none"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class StateBody(msgspec.Struct, frozen=True):
    """Answer of GET state."""

    version: int
    host: str
    revision: str
    healthy: bool
    operation: str = ""
    outcome: Progress = Progress.NONE
    detail: str = ""
    available: tuple[str, ...] = ()
    restart: bool = False
    """Whether `operation` was taken as a restart; an agent that knows none never says so."""


class DeployBody(msgspec.Struct, frozen=True):
    """What PUT deploy asks."""

    version: int
    operation: str
    host: str
    revision: str
    token: int
    restart: bool = False
    """Begin the process anew, also where the revision runs already."""


class OutcomeBody(msgspec.Struct, frozen=True):
    """Answer 200 or 202 of PUT deploy."""

    version: int
    operation: str
    outcome: Progress
    detail: str = ""
    restart: bool = False
    """As in `StateBody`."""


class ErrorBody(msgspec.Struct, frozen=True):
    """Any other answer."""

    version: int
    error: str


class _Versioned(msgspec.Struct, frozen=True):
    version: int


class Malformed(ValueError):
    """A body that is not what the protocol says; its text is plain."""


Body = TypeVar("Body", StateBody, DeployBody, OutcomeBody, ErrorBody)


def decoded(raw: bytes, shape: type[Body]) -> Body:
    """`raw` as `shape`, or `Malformed`; another version of the protocol is named as such."""
    try:
        version = msgspec.json.decode(raw, type=_Versioned).version
        if version != VERSION:
            raise Malformed(plain(f"speaks protocol version {version}, not {VERSION}", 100))
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Malformed(plain(str(error), 200)) from None


def is_operation(name: str) -> bool:
    """Whether `name` may name an operation: as identifiers, but up to 400 characters."""
    return _OPERATION.match(name) is not None
