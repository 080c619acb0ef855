"""What a new build does wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pipeline.rehearsal.profile import Profile


@dataclass(frozen=True, slots=True)
class Fault:
    """Factors and additions on the hosts that run the new build; the default is a good one."""

    name: str
    errors: float = 1.0
    added_ratio: float = 0.0
    """Of requests that fail besides."""
    latency: float = 1.0
    cpu: float = 1.0
    traffic: float = 1.0
    leak_an_hour: float = 0.0
    """Memory that a process gains, as a ratio of what the service takes."""
    crash_every_s: float = 0.0
    """About so often the process ends and begins anew; 0 is never."""
    after_s: float = 0.0
    """From the canary's begin to the fault's; in a canary shorter than twice that, its middle."""
    one_datacenter: bool = False
    """Only in the datacenter with the most canary hosts."""

    @property
    def good(self) -> bool:
        return self == Fault(self.name)

    def begins_at(self, profile: Profile) -> int:
        """The index (from 0) of the first tick that has the fault in it."""
        return min(int(self.after_s // profile.tick_s), profile.looks // 2)


NONE = Fault("none")
SLOW_LEAK = Fault("slow-leak", leak_an_hour=0.08)

FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        fault.name: fault
        for fault in (
            NONE,
            Fault("x1.2", errors=1.2),
            Fault("x1.5", errors=1.5),
            Fault("x2", errors=2.0),
            Fault("x5", errors=5.0),
            Fault("+1pp", added_ratio=0.01),
            Fault("lat+10%", latency=1.1),
            Fault("lat+25%", latency=1.25),
            Fault("lat+100%", latency=2.0),
            Fault("leak", leak_an_hour=0.25),
            Fault("cpu+20%", cpu=1.2),
            Fault("one-dc", errors=5.0, one_datacenter=True),
            Fault("late-x5", errors=5.0, after_s=2_400.0),
            Fault("blackhole", traffic=1 / 3, latency=0.7),
            Fault("crash-loop", crash_every_s=300.0),
        )
    }
)
