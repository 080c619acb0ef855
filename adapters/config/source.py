"""From a file to a TOML document with its lines, or to what is wrong with the file as a whole."""

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

from adapters.config.errors import ConfigError, ConfigErrors, Problems
from adapters.config.lines import TooDeep, Unscannable, line_at, lines_of
from pipeline.text import plain

LARGEST_BYTES = 1024 * 1024
"""A thousand services fill about half of it."""
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)\Z")
_TUPLE = re.compile(r"\('(.*)',?\)")
"""A key as the parser names it."""
_CUT = 300
"""Characters past a mistake that the parser may see, so that it can say what is wrong."""


def document_of(path: Path) -> tuple[Mapping[str, object], Problems]:
    """The parsed file, and where its later problems go. Raises `ConfigErrors`."""
    file = str(path)
    return parsed(_text(file, _bytes(file)), file)


def parsed(text: str, file: str) -> tuple[Mapping[str, object], Problems]:
    """Likewise, of a text that was read already."""
    text = text.replace("\r\n", "\n")
    try:
        lines = lines_of(text)
    except TooDeep as error:
        raise ConfigErrors([ConfigError(file, line_at(text, error.at), "", str(error))]) from None
    except Unscannable as error:
        raise ConfigErrors([_syntax(text, file, error)]) from None
    try:
        return tomllib.loads(text), Problems(file, lines)
    except ValueError as error:
        raise ConfigErrors([_of_parser(file, error, line=1)]) from None


def _syntax(text: str, file: str, found: Unscannable) -> ConfigError:
    line, column = line_at(text, found.at), found.at - text.rfind("\n", 0, found.at)
    try:
        tomllib.loads(text[: found.at] + text[found.at : found.at + _CUT].split("\n", 1)[0])
    except ValueError as error:
        return _of_parser(file, error, line, column)
    return ConfigError(file, line, "", str(found), column)


def _of_parser(file: str, error: ValueError, line: int, column: int = 0) -> ConfigError:
    said = str(error)
    place = _PLACE.search(said)
    message = said[: place.start()] if place else said
    if place and place[1]:
        line, column = int(place[1]), int(place[2])
    message = _TUPLE.sub(lambda found: found[1].replace("', '", "."), message)
    return ConfigError(file, line, "", plain(message[:1].lower() + message[1:], 200), column)


def _bytes(file: str) -> bytes:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _whole(file, f"cannot be read: {error.strerror}") from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise _whole(file, "is not a file: name a configuration file")
        if found.st_mode & stat.S_IWOTH:
            raise _whole(file, "may be written by anyone on this machine: take that away with chmod o-w")
        with open(descriptor, "rb", closefd=False) as opened:
            raw = opened.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise _whole(file, f"cannot be read: {error.strerror}") from None
    finally:
        os.close(descriptor)
    if len(raw) > LARGEST_BYTES:
        raise _whole(file, f"is larger than {LARGEST_BYTES // 1024} KiB: name many hosts by ranges such as cart-[1-20]")
    return raw


def _text(file: str, raw: bytes) -> str:
    if raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise _whole(file, "begins with a byte order mark: save it as UTF-8 without one")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        bad = f"byte 0x{raw[error.start]:02x} is not UTF-8: save the file as UTF-8"
        raise ConfigErrors([ConfigError(file, line, "", bad)]) from None


def _whole(file: str, message: str) -> ConfigErrors:
    return ConfigErrors([ConfigError(file, 0, "", message)])
