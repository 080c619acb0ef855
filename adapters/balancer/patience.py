"""How long a balancer that does not answer is asked again: its silence is no fault of what is deployed."""

from collections.abc import Iterable

from adapters.balancer.answers import BalancerFault
from pipeline.ports import Clock

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 1.0


class Patience:
    """The waits between one question that got no answer and the next, until `ends_s` of the monotonic clock."""

    def __init__(self, clock: Clock, ends_s: float) -> None:
        self._clock, self._ends_s = clock, ends_s
        self._began_s = clock.monotonic()
        self._wait_s = FIRST_WAIT_S

    def heard(self) -> None:
        """There was an answer: silence begins anew."""
        self._began_s, self._wait_s = self._clock.monotonic(), FIRST_WAIT_S

    async def again(self, faults: Iterable[BalancerFault]) -> bool:
        """Whether to ask again, after a wait; not where one of them answers, and refuses."""
        left_s = self._ends_s - self._clock.monotonic()
        if left_s <= 0 or not all(fault.silent for fault in faults):
            return False
        await self._clock.sleep(min(self._wait_s, left_s))
        self._wait_s = min(self._wait_s * 1.5, LONGEST_WAIT_S)
        return True

    def told(self, faults: Iterable[BalancerFault]) -> BalancerFault:
        """What was wrong in the end, and for how long where that was silence."""
        return as_one(faults, self._clock.monotonic() - self._began_s)


def as_one(faults: Iterable[BalancerFault], silent_s: float) -> BalancerFault:
    """The faults in one line; those of a silence of `silent_s` seconds say so."""
    every = tuple(faults)
    said = (f"no answer for {silent_s:.3g} s: {its.why}" if its.silent else its.why for its in every)
    return BalancerFault("; ".join(said), silent=all(its.silent for its in every))
