"""Arithmetic over signals, for what no other kind of metric can say: "cpu / max(requests, 1)".

    sum     = product {("+" | "-") product}
    product = signed {("*" | "/") signed}
    signed  = "-" signed | number | name | "(" sum ")" | ("min" | "max") "(" sum "," sum ")"

Numbers are as in "12", "0.5" and "1e6"; names are of letters, digits and "_", so that "a-b" is a difference.
A counter stands for its increase per second, a gauge for its level.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pipeline.text import plain

if TYPE_CHECKING:
    from pipeline.signals import Sample

LONGEST = 300
"""Characters of an expression."""
DEEPEST = 30
"""Parentheses, calls and signs inside each other."""

_TOKEN = re.compile(r"([0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)|([A-Za-z_][A-Za-z0-9_]*)|([-+*/(),])")


class Op(Enum):
    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"
    MIN = "min"
    MAX = "max"
    NEGATE = "sign"


Step = float | str | Op
"""A number, a signal's name, or what is done with the one or two values before it."""


@dataclass(frozen=True, slots=True)
class Expression:
    """Made by `parsed`."""

    text: str
    names: tuple[str, ...]
    """Of its signals, each once, at least one."""
    steps: tuple[Step, ...]
    """Operands before their operator, so that a stack works it out."""

    def value(self, sample: "Sample") -> float | None:
        """None where a signal is missing, and where a step divides by zero or leaves the finite numbers."""
        try:
            found = float(self.values(lambda name: _level(name, sample)))
        except ZeroDivisionError:
            return None
        return found if math.isfinite(found) else None

    def values(self, lookup: Callable[[str], Any]) -> Any:
        """The same by element, where `lookup` gives each signal's levels as an array (numpy's, all of one shape).

        NaN where a level is not finite, and where `value` would be None. Arrays may warn of that: the caller
        silences them (`np.errstate`).
        """
        stack: list[Any] = []
        for step in self.steps:
            if isinstance(step, Op):
                right = stack.pop()
                stack.append(-right if step is Op.NEGATE else _applied(step, stack.pop(), right))
            elif isinstance(step, str):
                level = lookup(step)
                stack.append(level + (level - level))
            else:
                stack.append(step)
        return stack.pop()


def _level(name: str, sample: "Sample") -> float:
    count = sample.counters.get(name)
    if count is None:
        return sample.gauges.get(name, math.nan)
    return count / sample.host_s if sample.host_s > 0 else math.nan


def _applied(op: Op, left: Any, right: Any) -> Any:
    """Of floats or arrays; an infinite result becomes NaN, which no later step can hide."""
    match op:
        case Op.ADD:
            found = left + right
        case Op.SUBTRACT:
            found = left - right
        case Op.MULTIPLY:
            found = left * right
        case Op.DIVIDE:
            found = left / right
        case Op.MIN:
            return left * (left <= right) + right * (left > right)
        case _:
            return left * (left >= right) + right * (left < right)
    return found + (found - found)


@lru_cache(maxsize=1024)
def parsed(text: str) -> Expression:
    """`text` as an expression. Raises `ValueError` with what is wrong, where, and why."""
    if len(text) > LONGEST:
        raise ValueError(f"expected at most {LONGEST} characters, got {len(text):,}")
    parser = _Parser(text)
    parser.sum(0)
    if parser.kind:
        raise parser.unexpected("an operator or the end")
    names = tuple(dict.fromkeys(step for step in parser.steps if isinstance(step, str)))
    if not names:
        raise ValueError("expected at least one signal: without one it is the same number for ever")
    return Expression(text, names, tuple(parser.steps))


class _Parser:
    """Recursive descent; numbers are put together as soon as both are known."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.steps: list[Step] = []
        self._next = 0
        self.advance()

    def advance(self) -> None:
        """On to the next token: its `kind` is "number", "name", the mark itself, or "" at the end and for no token."""
        self.at = len(self.text) - len(self.text[self._next :].lstrip(" \t"))
        found = _TOKEN.match(self.text, self.at)
        self.token = found[0] if found else self.text[self.at : self.at + 1]
        self._next = found.end() if found else self.at
        if found is None:
            self.kind = "other" if self.token else ""
        else:
            self.kind = "number" if found[1] else "name" if found[2] else found[3]

    def sum(self, depth: int) -> None:
        self.product(depth)
        while self.kind in ("+", "-"):
            self._binary(self.product, depth)

    def product(self, depth: int) -> None:
        self.signed(depth)
        while self.kind in ("*", "/"):
            self._binary(self.signed, depth)

    def _binary(self, operand: Callable[[int], None], depth: int) -> None:
        op, at = Op(self.kind), self.at
        self.advance()
        operand(depth)
        self._do(op, at)

    def signed(self, depth: int) -> None:
        if depth > DEEPEST:
            raise ValueError(
                f"expected at most {DEEPEST} levels inside each other, got more at character {self.at + 1}"
            )
        kind, token, at = self.kind, self.token, self.at
        if kind not in ("-", "number", "name", "("):
            raise self.unexpected('a number, a signal or "("')
        self.advance()
        if kind == "-":
            self.signed(depth + 1)
            self._do(Op.NEGATE, at)
        elif kind == "number":
            self._keep(float(token), at)
        elif kind == "(":
            self.sum(depth + 1)
            self._expect(")")
        elif self.kind == "(":
            self._call(token, at, depth + 1)
        else:
            self.steps.append(token)

    def _call(self, name: str, at: int, depth: int) -> None:
        if name not in ("min", "max"):
            raise ValueError(f'expected min or max before "(", got "{plain(name, 60)}" at character {at + 1}')
        self._expect("(")
        self.sum(depth)
        self._expect(",")
        self.sum(depth)
        self._expect(")")
        self._do(Op(name), at)

    def _expect(self, mark: str) -> None:
        if self.kind != mark:
            raise self.unexpected(f'"{mark}"')
        self.advance()

    def _do(self, op: Op, at: int) -> None:
        right = self.steps[-1]
        if op is Op.DIVIDE and right == 0.0:
            raise ValueError(f"divides by zero at character {at + 1}")
        if op is Op.NEGATE and isinstance(right, float):
            self.steps[-1] = -right
        elif op is not Op.NEGATE and isinstance(right, float) and isinstance(left := self.steps[-2], float):
            del self.steps[-2:]
            self._keep(float(_applied(op, left, right)), at)
        else:
            self.steps.append(op)

    def _keep(self, number: float, at: int) -> None:
        if not math.isfinite(number):
            raise ValueError(f"expected numbers up to 1.8e308, got more at character {at + 1}")
        self.steps.append(number)

    def unexpected(self, wanted: str) -> ValueError:
        if not self.token:
            return ValueError(f"expected {wanted}, got the end")
        why = ': a signal\'s name here has letters, digits and "_" only' if self.token == "." else ""
        return ValueError(f'expected {wanted}, got "{plain(self.token, 60)}" at character {self.at + 1}{why}')
