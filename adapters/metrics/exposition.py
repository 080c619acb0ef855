"""The Prometheus text format (0.0.4, and what OpenMetrics 1.0 adds to a sample line), read fast.

A page is read for a few families only, and what a series means is worked out once: each series'
text up to its value is a key that is looked up on the next page. A line that cannot be read is
counted under its family and skipped; it is for the caller to distrust that family.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

SERIES_LIMIT = 50_000
"""Samples of one page, and series remembered over all pages."""

_NAME = re.compile(r"[ \t]*([a-zA-Z_:][a-zA-Z0-9_:]*)[ \t]*")
_LABEL = re.compile(r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*')
_TAIL = re.compile(r"[ \t]*([^ \t]+)(?:[ \t]+[+-]?[0-9][0-9.eE+-]*)?(?:[ \t]+#[ \t]*\{.*)?[ \t\r]*\Z")
_TYPE = re.compile(r"[ \t]*#[ \t]*TYPE[ \t]+([a-zA-Z_:][a-zA-Z0-9_:]*)[ \t]+([a-z]+)[ \t\r]*\Z")
_COMMENT = re.compile(r"[ \t]*#")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", '"': '"', "\\": "\\"}

Meaning = TypeVar("Meaning")


class PageError(ValueError):
    """The page as a whole cannot be trusted; its text says why."""


@dataclass(slots=True)
class Page(Generic[Meaning]):
    samples: list[tuple[Meaning, float]] = field(default_factory=list)
    """In the page's order; only of series that mean something."""
    sampled: set[str] = field(default_factory=set)
    """Wanted names that have a sample."""
    declared: dict[str, str] = field(default_factory=dict)
    """Wanted names that have a TYPE line, with their type."""
    bad: dict[str, int] = field(default_factory=dict)
    """Lines of a wanted name that could not be read, or came twice."""


@dataclass(frozen=True, slots=True)
class _Series(Generic[Meaning]):
    name: str
    identity: str
    """The same for every spelling of the series."""
    meaning: Meaning | None


class PageReader(Generic[Meaning]):
    """Reads pages for some names; keeps what their series mean from page to page.

    Args:
        names: of samples and families, exactly as they stand on the page.
        meaning: of a series, by name and labels; None for a series that nobody wants.
    """

    def __init__(self, names: Iterable[str], meaning: Callable[[str, Mapping[str, str]], Meaning | None]) -> None:
        self._meaning = meaning
        self._known: dict[str, _Series[Meaning]] = {}
        wanted = "|".join(sorted((re.escape(name) for name in names), key=len, reverse=True))
        # Only lines of wanted names become Python objects: on a page of 5,000 lines that is most of the time.
        self._lines = re.compile(rf"^[ \t]*(?:#[ \t]*TYPE[ \t]+)?(?:{wanted})(?![a-zA-Z0-9_:]).*$", re.MULTILINE)

    def read(self, page: str) -> Page[Meaning]:
        """Raises `PageError` for a page without an end or with too many samples."""
        if not page.endswith("\n") and not page.endswith("# EOF"):
            raise PageError("a metrics page that breaks off in mid-line" if page else "an empty metrics page")
        lines = self._lines.findall(page)
        if len(lines) > SERIES_LIMIT:
            raise PageError(f"more than {SERIES_LIMIT:,} samples")
        result: Page[Meaning] = Page()
        met: set[str] = set()
        for line in lines:
            key, brace, rest = line.partition("} ")
            if not brace:
                key, _, rest = line.partition(" ")
            known = self._known.get(key)
            if known is None:
                if _COMMENT.match(line):
                    declared = _TYPE.match(line)
                    if declared is not None:
                        result.declared[declared[1]] = declared[2]
                    continue
                known, rest = self._learn(line)
            result.sampled.add(known.name)
            value = _value(rest)
            if value is None or known.identity in met:
                result.bad[known.name] = result.bad.get(known.name, 0) + 1
            elif known.meaning is not None:
                result.samples.append((known.meaning, value))
            met.add(known.identity)
        return result

    def _learn(self, line: str) -> tuple[_Series[Meaning], str]:
        """(series, what follows it); a series that cannot be read is followed by nothing."""
        found = _NAME.match(line)
        assert found is not None  # noqa: S101 - such lines were picked
        name, end = found[1], found.end()
        labels: dict[str, str] = {}
        key, rest = name, line[end:]
        if rest.startswith("{"):
            closing = _labels(line, end + 1, labels)
            if closing is None:
                return _Series(name, line, None), ""
            key, rest = line[:closing], line[closing + 1 :]
        series = _Series(name, f"{name}{sorted(labels.items())}", self._meaning(name, labels))
        if len(self._known) >= SERIES_LIMIT:
            self._known.clear()
        self._known[key] = series
        return series, rest


def _labels(line: str, at: int, labels: dict[str, str]) -> int | None:
    """Fill `labels` from `at` on and return where the closing brace stands; None if they cannot be read."""
    while True:
        found = _LABEL.match(line, at)
        if found is None:
            closing = len(line) - len(line[at:].lstrip(" \t"))
            return closing if line.startswith("}", closing) else None
        if found[1] in labels:
            return None
        text = found[2]
        labels[found[1]] = _ESCAPE.sub(_unescaped, text) if "\\" in text else text
        at = found.end()
        if line.startswith(",", at):
            at += 1
        elif not line.startswith("}", at):
            return None


def _unescaped(found: re.Match[str]) -> str:
    return _ESCAPED.get(found[1], found[0])


def _value(text: str) -> float | None:
    """The sample's value, with a timestamp and an exemplar after it left aside."""
    value = _number(text)
    if value is None:
        tail = _TAIL.match(text)
        value = None if tail is None else _number(tail[1])
    return value


def _number(text: str) -> float | None:
    try:
        # Python also reads digits of other scripts and underscores between digits.
        return float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        return None
