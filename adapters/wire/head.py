"""The head of an HTTP/1.1 answer, read strictly: what could be read in two ways is malformed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.text import plain

_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n]*)?\r?\n\Z")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*\Z", re.DOTALL)
_LENGTH = re.compile(r"[0-9]{1,15}\Z")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,12})[ \t]*(?:;[^\r\n]*)?\r?\n\Z")


class MalformedAnswer(Exception):
    """Not an answer of HTTP/1.1, or not one that we take; its text says why."""


@dataclass(frozen=True, slots=True)
class Head:
    status: int
    keep: bool
    """Whether the connection may carry another request."""
    chunked: bool = False
    length: int | None = None
    """Bytes of the body; None if it ends with the connection."""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def bodiless(self) -> bool:
        return self.status in (204, 304)


def parse_status(line: bytes) -> tuple[int, bool]:
    """(status, whether the peer speaks HTTP/1.1)."""
    found = _STATUS.match(line)
    if found is None:
        raise MalformedAnswer(f'not HTTP: "{plain(line.strip(), 60)}"')
    status = int(found[2])
    if status == 101:
        raise MalformedAnswer("101 though no other protocol was asked for")
    return status, found[1] == b"1"


def header(line: bytes) -> tuple[str, str]:
    """(name in lower case, value)."""
    found = _HEADER.match(line)
    if found is None:
        raise MalformedAnswer(f'not a header: "{plain(line, 60)}"')
    return found[1].decode("ascii").lower(), found[2].decode("latin-1")


def parse_head(status: int, *, one_dot_one: bool, headers: Sequence[tuple[str, str]]) -> Head:
    values = dict(headers)
    lengths = {value for name, value in headers if name == "content-length"}
    coding = values.get("transfer-encoding", "").lower()
    if values.get("content-encoding", "identity").lower() not in ("", "identity"):
        raise MalformedAnswer("compressed though that was not asked for")
    if coding not in ("", "chunked"):
        raise MalformedAnswer(f'transfer encoding "{plain(coding, 40)}"')
    if len(lengths) > 1 or (lengths and coding):
        raise MalformedAnswer("two lengths")
    length = None
    if lengths:
        text = lengths.pop()
        if not _LENGTH.match(text):
            raise MalformedAnswer(f'length "{plain(text, 40)}"')
        length = int(text)
    tokens = {token.strip().lower() for token in values.get("connection", "").split(",")}
    ends = status not in (204, 304) and not coding and length is None
    keep = not ends and ("close" not in tokens if one_dot_one else "keep-alive" in tokens)
    return Head(status, keep, bool(coding), length, values)


def chunk_size(line: bytes) -> int:
    found = _CHUNK.match(line)
    if found is None:
        raise MalformedAnswer(f'chunk size "{plain(line.strip(), 40)}"')
    return int(found[1], 16)
