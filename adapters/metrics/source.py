"""Which series of a host's metrics page make up a signal."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

_NAME = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*")
_MATCHER = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*"((?:[^"\\\n]|\\.)*)"\s*')
_ESCAPE = re.compile(r"\\(.)")


class SignalKind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Op(StrEnum):
    EQUAL = "="
    UNEQUAL = "!="
    LIKE = "=~"
    UNLIKE = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on one label, as in PromQL: a missing label is "", a pattern matches the whole value."""

    label: str
    op: Op
    value: str

    def matches(self, labels: Mapping[str, str]) -> bool:
        found = labels.get(self.label, "")
        if self.op is Op.EQUAL:
            return found == self.value
        if self.op is Op.UNEQUAL:
            return found != self.value
        return (re.fullmatch(self.value, found) is not None) == (self.op is Op.LIKE)


@dataclass(frozen=True, slots=True)
class SignalSource:
    """Where a signal is found on a host; the values of all series that match are summed."""

    name: str
    """As metrics refer to it: "requests"."""
    kind: SignalKind
    family: str
    """As it stands on the page: "http_requests_total"; of a histogram without "_bucket"."""
    matchers: tuple[Matcher, ...] = ()
    path: str = "/metrics"

    def matches(self, labels: Mapping[str, str]) -> bool:
        return all(matcher.matches(labels) for matcher in self.matchers)


def parse_selector(text: str) -> tuple[str, tuple[Matcher, ...]]:
    """`http_requests_total{code=~"5..", job!="probe"}` as (family, matchers).

    Patterns are Python's regular expressions. Raises `ValueError` with what is wrong and where.
    """
    name = _NAME.match(text)
    if name is None:
        raise ValueError(f"expected a metric's name, got {text!r}")
    family, rest = name[1], text[name.end() :]
    if not rest:
        return family, ()
    if not rest.startswith("{") or not rest.rstrip().endswith("}"):
        raise ValueError(f'expected {{label="value", ...}} after {family}, got {rest!r}')
    return family, _matchers(family, rest.rstrip()[1:-1])


def _matchers(family: str, inside: str) -> tuple[Matcher, ...]:
    matchers: list[Matcher] = []
    at = 0
    while inside[at:].strip():
        found = _MATCHER.match(inside, at)
        if found is None:
            raise ValueError(f'{family}: expected label="value" (or !=, =~, !~), got {inside[at:].strip()!r}')
        matchers.append(_matcher(found[1], Op(found[2]), _ESCAPE.sub(_unescaped, found[3])))
        at = found.end()
        if at < len(inside):
            if inside[at] != ",":
                raise ValueError(f"{family}: expected a comma between labels, got {inside[at:].strip()!r}")
            at += 1
    return tuple(matchers)


def _matcher(label: str, op: Op, value: str) -> Matcher:
    if op in (Op.LIKE, Op.UNLIKE):
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"{label}{op}{value!r}: not a pattern: {error}") from None
    return Matcher(label, op, value)


def _unescaped(found: re.Match[str]) -> str:
    return {"n": "\n", "t": "\t"}.get(found[1], found[1] if found[1] in '"\\' else found[0])
