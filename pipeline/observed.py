"""What the hosts say of themselves, and what we say of those that do not answer."""

from dataclasses import dataclass

from pipeline.events import Result


@dataclass(frozen=True, slots=True)
class HostState:
    """One host's own answer."""

    at_s: float
    """On the controller's monotonic clock."""
    revision: str
    """What it runs; "" while nothing runs."""
    healthy: bool
    operation: str = ""
    """The newest operation that it knows of."""
    result: Result | None = None
    """How that operation ended; None while it runs or where there is none."""
    detail: str = ""
    settling: bool = False
    """It passes its checks, though not for long enough yet to be called healthy."""
    answered: bool = True
    """Whether it is known to be unhealthy where it is not healthy: its check, or it itself, said so just now."""
    available: frozenset[str] = frozenset()
    """Revisions that it could run; empty where it does not say."""
    held: str = ""
    """Why it is not to be deployed to just now, though that is no fault of its own: its balancer does not answer."""

    @property
    def down(self) -> bool:
        """Known to be sick: one that settles, or that nobody got an answer about, is not."""
        return not self.healthy and not self.settling and self.answered


@dataclass(frozen=True, slots=True)
class HostFault:
    """A host that gave no usable answer: unreachable, hanging, or talking rubbish. Never healthy."""

    at_s: float
    why: str
    """"no answer in 2 s", "refused", "malformed state: ..."."""


Observation = HostState | HostFault
