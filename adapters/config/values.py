"""How single values are read: each reader takes a value and its spot, and gives it typed or reports.

A reader raises `Unread` once it has said what was expected; the caller goes on with the next value,
so that a file's mistakes come all at once.
"""

import math
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from adapters.config import durations
from adapters.config.errors import Spot, Unread
from adapters.metrics.source import Matcher, parse_selector
from pipeline.expression import LONGEST as LONGEST_EXPRESSION
from pipeline.expression import parsed
from pipeline.text import is_identifier, plain

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
Reader = Callable[[object, Spot], T]

_PER_CENT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,12})?)\s*%")
_OBJECTIVE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,12})?)\s*%?")
LEAST_OBJECTIVE = Decimal("0.5")
_PAGE = re.compile(r"/[!-~]*")


def text(longest: int = 80) -> Reader[str]:
    def read(value: object, spot: Spot) -> str:
        if not isinstance(value, str) or not value.strip():
            spot.expected("a text", value)
        if len(value) > longest or plain(value, longest) != value:
            spot.expected(f"one line of at most {longest} characters, none of them a control character", value)
        return value

    return read


def name(value: object, spot: Spot) -> str:
    if not isinstance(value, str) or not is_identifier(value):
        spot.expected("a name of letters, digits, '.', '_' and '-' (1 to 100, no leading dash)", value)
    return value


def boolean(value: object, spot: Spot) -> bool:
    if not isinstance(value, bool):
        spot.expected("true or false", value)
    return value


def whole(low: int, high: int) -> Reader[int]:
    def read(value: object, spot: Spot) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            spot.expected(f"a whole number from {low:,} to {high:,}", value)
        return value

    return read


def number(low: float, high: float) -> Reader[float]:
    def read(value: object, spot: Spot) -> float:
        found = _number(value)
        if found is None or not low <= found <= high:
            spot.expected(f"a number from {low:g} to {high:g}", value)
        return found

    return read


def ratio(low: float = 0.0, high: float = 1.0) -> Reader[float]:
    """As a number or in per cent: 0.1 and "10%" are the same."""

    def read(value: object, spot: Spot) -> float:
        found = per_cent(value) if isinstance(value, str) else _number(value)
        if found is None:
            spot.expected('a ratio such as 0.1 or "10%"', value)
        if not low <= found <= high:
            spot.expected(f"{low:g} to {high:g}", value)
        return found

    return read


def per_cent(written: str) -> float | None:
    """The ratio that "12.5%" is, or None for another text."""
    found = _PER_CENT.fullmatch(written)
    return float(Decimal(found[1]) / 100) if found else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def objective(value: object, spot: Spot) -> Decimal:
    """Exact, so a text: "99.99%" is Decimal("0.9999")."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        spot.expected('a text such as "99.9%", since a number is not exact', value)
    found = _OBJECTIVE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        spot.expected('per cent of good requests, such as "99.9%"', value)
    exact = Decimal(found[1]).scaleb(-2).normalize()
    if not LEAST_OBJECTIVE <= exact < 1:
        spot.expected('at least "50%" and less than "100%"', value)
    return exact


def seconds(low: str = "0s", high: str = "366d") -> Reader[float]:
    """A duration such as "1h30m"; between `low` and `high`, written likewise."""
    least, most = durations.seconds(low), durations.seconds(high)

    def read(value: object, spot: Spot) -> float:
        try:
            found = durations.seconds(value) if isinstance(value, str) else None
        except ValueError:
            found = None
        if found is None:
            spot.expected('a duration such as "40s", "10m" or "1h30m"', value)
        if not least <= found <= most:
            spot.expected(f"{low} to {high}", value)
        return found

    return read


def threshold(high: str) -> Reader[float]:
    """Seconds above 0 and up to `high`, as a number or as a duration: 0.25 and "250ms" are the same."""
    most = durations.seconds(high)

    def read(value: object, spot: Spot) -> float:
        try:
            found = durations.seconds(value) if isinstance(value, str) else _number(value)
        except ValueError:
            found = None
        if found is None:
            spot.expected('a duration such as "250ms", or a number of seconds', value)
        if not 0 < found <= most:
            spot.expected(f"more than 0s and up to {high}", value)
        return found

    return read


def expression(value: object, spot: Spot) -> str:
    """Arithmetic over signals; whether these are known is asked later."""
    found = text(LONGEST_EXPRESSION)(value, spot)
    try:
        return parsed(found).text
    except ValueError as error:
        spot.refuse(str(error))


def moment(value: object, spot: Spot) -> datetime:
    """A date and time that says its offset; in UTC from here on."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        spot.expected("a date and time with its offset, such as 2026-12-24T18:00:00+01:00", value)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        spot.expected("a date of our times", value)


def one_of(words: type[E]) -> Reader[E]:
    def read(value: object, spot: Spot) -> E:
        if not isinstance(value, str) or value not in [word.value for word in words]:
            spot.expected(either(words), value)
        return words(value)

    return read


def choice(*words: str) -> Reader[str]:
    def read(value: object, spot: Spot) -> str:
        if not isinstance(value, str) or value not in words:
            spot.expected(either(words), value)
        return value

    return read


def either(words: Iterable[str]) -> str:
    *most, last = (f'"{word}"' if word else '""' for word in words)
    return f"{', '.join(most)} or {last}"


def sequence(read_one: Reader[T], least: int = 0, most: int = 1_000) -> Reader[tuple[T, ...]]:
    """An array; every element that is wrong is reported."""

    def read(value: object, spot: Spot) -> tuple[T, ...]:
        if not isinstance(value, list):
            spot.expected("an array", value)
        if not least <= len(value) <= most:
            spot.refuse(f"expected {least} to {most:,} elements, got {len(value):,}")
        found: list[T] = []
        for place, element in enumerate(value):
            try:
                found.append(read_one(element, spot / place))
            except Unread:
                continue
        if len(found) < len(value):
            raise Unread
        return tuple(found)

    return read


def unique(read_all: Reader[tuple[str, ...]]) -> Reader[tuple[str, ...]]:
    def read(value: object, spot: Spot) -> tuple[str, ...]:
        found = read_all(value, spot)
        for place, element in enumerate(found):
            if element in found[:place]:
                (spot / place).refuse(f'"{element}" stands here twice')
        return found

    return read


def argument(value: object, spot: Spot) -> str:
    if not isinstance(value, str) or "\0" in value:
        spot.expected("a text, one for each argument", value)
    return value


def folder(longest: int = 4_000) -> Reader[Path]:
    def read(value: object, spot: Spot) -> Path:
        if not isinstance(value, str) or plain(value, longest) != value or not value.startswith(("/", "~/")):
            spot.expected(f'the path of a folder from "/" or "~/" on, of at most {longest} characters', value)
        try:
            return Path(value).expanduser()
        except RuntimeError:
            spot.expected("a folder whose owner has a home", value)

    return read


def file(value: object, spot: Spot) -> Path:
    """The path of a file; whether it is there is asked when it is read."""
    if not isinstance(value, str) or plain(value, 4_000) != value or not value.startswith(("/", "~/")):
        spot.expected('the path of a file from "/" or "~/" on', value)
    try:
        return Path(value).expanduser()
    except RuntimeError:
        spot.expected("a file whose owner has a home", value)


def url(value: object, spot: Spot) -> str:
    """Where an API is; its paths are put behind it."""
    found = text(1_000)(value, spot)
    try:
        parts = urlsplit(found)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query and not parts.fragment
        named = parts.username is not None or parts.password is not None
    except ValueError:
        fits = named = False
    if named:
        spot.refuse("a user or a password in an address is read by everyone: there are keys for it")
    if not fits:
        spot.expected('an address such as "https://prometheus.example:9090"', value)
    return found.rstrip("/")


def timezone(value: object, spot: Spot) -> str:
    if isinstance(value, str):
        with suppress(ValueError, OSError, LookupError):
            return ZoneInfo(value).key
    return spot.expected('a time zone such as "UTC" or "Europe/Berlin"', value)


def page(value: object, spot: Spot) -> str:
    """The path of a page on a host."""
    if not isinstance(value, str) or len(value) > 500 or _PAGE.fullmatch(value) is None:
        spot.expected('a path such as "/healthz"', value)
    return value


def series(value: object, spot: Spot) -> tuple[str, tuple[Matcher, ...]]:
    if not isinstance(value, str) or len(value) > 500:
        spot.expected("a metric's name, with labels where needed", value)
    try:
        return parse_selector(value)
    except ValueError as error:
        spot.refuse(plain(str(error), 300))


def matchers(value: object, spot: Spot) -> tuple[Matcher, ...]:
    """Conditions on labels, without a metric's name: `{job="web", env!="test"}`, with or without the braces."""
    if not isinstance(value, str) or len(value) > 500:
        spot.expected('conditions on labels such as job="web"', value)
    try:
        return parse_selector(f"x{{{value.strip().removeprefix('{').removesuffix('}')}}}")[1]
    except ValueError as error:
        spot.refuse(plain(str(error).removeprefix("x: "), 300))


def made(make: Callable[[], T], spot: Spot) -> T:
    """What `make` makes; a `ValueError` of its is the file's mistake, told at `spot`. Raises `Unread`."""
    try:
        return make()
    except ValueError as error:
        spot.refuse(f"expected otherwise: {error}")
