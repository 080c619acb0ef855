"""Paths into JSON that a comparison leaves out: `$.now`, `$.items[*].etag`, `$.items[0]`, `$['a b']`, `$..id`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.text import plain

_NAME = re.compile(r"[^.\[\]'\"\s]+")
_INDEX = re.compile(r"\[(?:(\*)|([0-9]{1,9})|'([^']*)'|\"([^\"]*)\")\]")

Key = str | int
"""Of an object's member; of an array's item."""
States = frozenset[tuple[int, int]]
"""How far each path has come at a value: (number of the path, parts matched)."""


class PathError(ValueError):
    """Not a path; its text says what was expected."""


@dataclass(frozen=True, slots=True)
class Part:
    key: Key | None
    """None is any."""
    deep: bool = False
    """At any depth below."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """Some paths, followed together from the root down."""

    paths: tuple[tuple[Part, ...], ...]

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Ignored":
        """Raises `PathError`."""
        return cls(tuple(parsed_path(text) for text in texts))

    def root(self) -> States:
        return frozenset((number, 0) for number in range(len(self.paths)))

    def below(self, states: States, key: Key) -> States:
        return frozenset(
            after
            for number, at in states
            for part in (self.paths[number][at],)
            for after, holds in (((number, at + 1), part.key is None or part.key == key), ((number, at), part.deep))
            if holds
        )

    def left_out(self, states: States) -> bool:
        return any(at == len(self.paths[number]) for number, at in states)


def parsed_path(text: str) -> tuple[Part, ...]:
    """The parts of a path; raises `PathError`."""
    wrong = PathError(f'"{plain(text, 60)}": expected a path as $.now, $.items[*].etag or $..id')
    if not text.startswith("$") or len(text) > 500:
        raise wrong
    at = 1
    parts: list[Part] = []
    while at < len(text):
        deep = text.startswith("..", at)
        dotted = text.startswith(".", at)
        at += 2 if deep else dotted
        found = _INDEX.match(text, at) if deep or not dotted else None
        if found is not None:
            star, index, single, double = found.groups()
            key: Key | None = None if star else int(index) if index else single if single is not None else double
        elif dotted and (found := _NAME.match(text, at)) is not None:
            key = None if found[0] == "*" else found[0]
        else:
            raise wrong
        parts.append(Part(key, deep))
        at = found.end()
    return tuple(parts)
