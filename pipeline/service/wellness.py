"""How a service's production hosts are, in words: what is down, and what does not answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.observed import HostFault, HostState, Observation
from pipeline.words import some


@dataclass(frozen=True, slots=True)
class Unwell:
    """Hosts by what is the matter with them; one that was not asked yet is nowhere."""

    of: int
    down: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    """They answer, and neither are known to be sick nor were healthy for long enough."""
    lost: tuple[str, ...] = ()
    """No usable answer."""

    @property
    def count(self) -> int:
        return len(self.down) + len(self.unsure) + len(self.lost)

    def said(self) -> str:
        """One line; "" where nothing is the matter."""
        if not self.count:
            return ""
        if self.count == len(self.lost):
            return f"{self.of - self.count} of {self.of} hosts answer: {some(list(self.lost))} {_do(self.lost)} not"
        whats = (
            f"{some(list(self.down))} {_are(self.down)} down" if self.down else "",
            f"{some(list(self.unsure))} {_are(self.unsure)} not known to be" if self.unsure else "",
            f"{some(list(self.lost))} {_do(self.lost)} not answer" if self.lost else "",
        )
        return f"{self.of - self.count} of {self.of} hosts healthy: {', '.join(filter(None, whats))}"


def unwell(hosts: Sequence[str], seen: Mapping[str, Observation]) -> Unwell:
    states = {name: seen.get(name) for name in hosts}
    sick = {name: state for name, state in states.items() if isinstance(state, HostState) and not state.healthy}
    return Unwell(
        len(hosts),
        tuple(name for name, state in sick.items() if state.down),
        tuple(name for name, state in sick.items() if not state.down),
        tuple(name for name, state in states.items() if isinstance(state, HostFault)),
    )


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _do(names: Sequence[str]) -> str:
    return "does" if len(names) == 1 else "do"
