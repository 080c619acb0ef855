"""Gates: what a release waits for. One shape, whoever asks and wherever it is shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Answer(StrEnum):
    PASS = "pass"
    HOLD = "hold"
    FAIL = "fail"
    UNKNOWN = "unknown"


STOPS_HOSTS = frozenset({"pause", "drift", "hosts", "history", "controller"})
"""Gates that stop the next host within a stage; the others are asked between stages."""
UNWELL = STOPS_HOSTS - {"pause"}
"""Gates about the machinery, not about the release."""


@dataclass(frozen=True, slots=True)
class Gate:
    name: str
    answer: Answer
    why: str
    """What was found, with its numbers, in one line."""
    since: datetime | None = None
    until: datetime | None = None
    """When it will be asked with another outcome, where that is known."""
    lifts: str = ""
    """What lifts it, and who may."""


def open_(gates: Iterable[Gate]) -> bool:
    """Whether every gate passes: nothing known is a pass only if it says pass."""
    return all(gate.answer is Answer.PASS for gate in gates)


def first_closed(gates: Iterable[Gate]) -> Gate | None:
    """The gate to name when one must be named: a failing one before an unknown or holding one."""
    order = {Answer.FAIL: 0, Answer.UNKNOWN: 1, Answer.HOLD: 2}
    closed = [gate for gate in gates if gate.answer is not Answer.PASS]
    return min(closed, key=lambda gate: order[gate.answer], default=None)
