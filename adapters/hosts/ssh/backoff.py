"""When a host that could not be reached is tried again."""

import math
import random
from dataclasses import dataclass, field, replace

from adapters.hosts.ssh.faults import LASTING, Kind, SshFault
from pipeline.text import LONGEST, plain

AGAIN = "; tried again in "
_STEP_S = 10
"""The time left is told in such steps, as every change is one on all screens."""


@dataclass(frozen=True, slots=True)
class _Rest:
    fault: SshFault
    failures: int
    until_s: float


@dataclass(slots=True)
class Backoff:
    """The last fault of each destination, and until when it stands. Seconds on the monotonic clock."""

    first_s: float
    longest_s: float
    lasting_s: float
    """After a failed login or a wrong host key."""
    rng: random.Random
    _rests: dict[str, _Rest] = field(default_factory=dict)

    def standing(self, destination: str, now_s: float, *, urgent: bool = False) -> SshFault | None:
        """The fault to answer without trying; `urgent` waits only for what a person must mend."""
        rest = self._rests.get(destination)
        if rest is None or now_s >= rest.until_s or (urgent and rest.fault.kind not in LASTING):
            return None
        return _with_time(rest, now_s)

    def failed(self, destination: str, fault: SshFault, now_s: float) -> SshFault:
        """Rest twice as long each time, 0.5 to 1 of that at random, so that hosts lost together come apart.

        Returns the fault as it is to be told.
        """
        if fault.kind in {Kind.BUSY, Kind.LOCAL}:
            return fault
        before = self._rests.get(destination)
        failures = before.failures + 1 if before is not None else 1
        rest_s = min(self.first_s * 2.0 ** min(failures - 1, 30), self.longest_s) * self.rng.uniform(0.5, 1.0)
        if fault.kind in LASTING:
            rest_s = self.lasting_s
        rest = self._rests[destination] = _Rest(fault, failures, now_s + rest_s)
        return _with_time(rest, now_s)

    def reached(self, destination: str) -> None:
        self._rests.pop(destination, None)


def _with_time(rest: _Rest, now_s: float) -> SshFault:
    """Who must mend something is told how long it takes until that is seen."""
    if rest.fault.kind not in LASTING:
        return rest.fault
    left_s = max(rest.until_s - now_s, 1.0)
    minutes, steps = math.ceil(left_s / 60), math.ceil(left_s / _STEP_S)
    again = AGAIN + (f"{minutes} min" if left_s > 90 else f"{steps * _STEP_S} s")
    return replace(rest.fault, why=plain(plain(rest.fault.why, LONGEST - len(again)) + again))
