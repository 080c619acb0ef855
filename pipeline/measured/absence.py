"""Hosts that stop answering and come back, whatever else goes on: what the history is told of them, and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.words import duration, some

TICKS = 3
"""Of silence before it is told, and of answers before its end is: one answer that is missing is no news."""
APART_S = 60.0
"""Between two lines about one service: hosts that come and go must not fill the history."""


@dataclass(frozen=True, slots=True)
class Absence:
    """One service's hosts, in seconds on the monotonic clock."""

    gone: Mapping[str, float] = field(default_factory=dict)
    """Whose silence was told, and since when they are silent."""
    turning: Mapping[str, float] = field(default_factory=dict)
    """Otherwise than told, and since when."""
    told_s: float = float("-inf")


NOBODY = Absence()


def watched(
    before: Absence, hosts: Sequence[str], faults: Mapping[str, str], now_s: float, tick_s: float
) -> tuple[Absence, str]:
    """What is known after a tick in which those in `faults` gave no usable answer, and why; the line to tell, or "".

    The same object while nothing changes. Once the line is not kept, `before` is to be taken again.
    """
    if not faults and not before.gone and not before.turning:
        return before, ""
    known = set(hosts)
    gone = {name: since_s for name, since_s in before.gone.items() if name in known}
    turned = [name for name in hosts if (name in faults) != (name in gone)]
    turning = {name: before.turning.get(name, now_s) for name in turned}
    due = [name for name in turned if now_s - turning[name] >= TICKS * tick_s]
    if not due or now_s - before.told_s < APART_S:
        same = gone == before.gone and turning == before.turning
        return (before if same else replace(before, gone=gone, turning=turning)), ""
    lost = [name for name in due if name in faults]
    back = {name: turning[name] - gone[name] for name in due if name in gone}
    still = {name: since_s for name, since_s in gone.items() if name not in back}
    after = {**still, **{name: turning[name] for name in lost}}
    turning = {name: since_s for name, since_s in turning.items() if name not in due}
    said = "; ".join(filter(None, (_gone(lost, [*still], faults, len(hosts)), _back(back, [*after], len(hosts)))))
    return Absence(after, turning, now_s), said


def _gone(lost: list[str], before: list[str], faults: Mapping[str, str], of: int) -> str:
    if not lost:
        return ""
    every = [*lost, *before]
    if len(every) == 1:
        return f"1 of {of} hosts does not answer: {lost[0]}: {faults[lost[0]]}"
    return f"{len(every)} of {of} hosts do not answer: {some(every)} ({lost[0]}: {faults[lost[0]]})"


def _back(back: Mapping[str, float], still: list[str], of: int) -> str:
    if not back:
        return ""
    who = f"{some([*back])} {'answers' if len(back) == 1 else 'answer'} again, after {duration(max(back.values()))}"
    rest = f"; {len(still)} of {of} still {'does' if len(still) == 1 else 'do'} not: {some(still)}"
    return who + rest if still else who
