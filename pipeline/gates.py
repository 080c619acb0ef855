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


STOPS_HOSTS = frozenset({"pause", "drift", "balancer", "hosts", "history", "controller"})
"""Gates that stop the next host within a stage; the others are asked between stages."""
UNWELL = STOPS_HOSTS - {"pause"}
"""Gates about the machinery, not about the release."""
BLOCKS = frozenset({"payback", "lock", "load-test", "isolation", "readiness"})
"""Gates that time or data alone do not open: closed, they are what a service is BLOCKED by."""

LOCKS = frozenset({"lock", "load-test"})
AT_THE_DOOR = BLOCKS | {"budget", "coverage", "freeze", "canary-overlap"}
"""Gates of the way to the next stage: the release itself has nothing more to show while one of them is closed."""


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
    warns: str = ""
    """Of a gate that passes: what it will close for, if nothing is done."""


def open_(gates: Iterable[Gate]) -> bool:
    """Whether every gate passes: nothing known is a pass only if it says pass."""
    return all(gate.answer is Answer.PASS for gate in gates)


def first_closed(gates: Iterable[Gate]) -> Gate | None:
    """The gate to name when one must be named: one that blocks, a failing one, an unknown one, one that holds."""
    return min((gate for gate in gates if gate.answer is not Answer.PASS), key=_gravity, default=None)


def blocks(gate: Gate) -> bool:
    """Whether it is known to be closed until somebody, or a day far ahead, opens it."""
    return gate.name in BLOCKS and gate.answer in {Answer.HOLD, Answer.FAIL}


def _gravity(gate: Gate) -> int:
    return 0 if blocks(gate) else _ORDER[gate.answer]


_ORDER = {Answer.FAIL: 1, Answer.UNKNOWN: 2, Answer.HOLD: 3}
