"""What a judge has seen of a release, and what it says of it. The judge itself is `pooled`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from pipeline.judge.verdict import Judgement
from pipeline.model import JudgeRules
from pipeline.signals import Sample, pool


@dataclass(frozen=True, slots=True)
class Look:
    """One analysis: what each host did since the last one. A host without fresh data is left out."""

    candidate: Mapping[str, Sample]
    """By host, those that run the new revision."""
    control: Mapping[str, Sample]
    """By host, production on the stable revision, or the restarted baseline."""
    expected: int = 0
    """Candidate hosts that should have been seen."""


WINDOW_LOOKS = 20
"""The last so many looks, and up to as many again, are judged by themselves too: a fault that begins late."""


@dataclass(frozen=True, slots=True)
class Window:
    """Some looks, pooled."""

    looks: int = 0
    candidate: Sample = field(default_factory=Sample)
    control: Sample = field(default_factory=Sample)

    def with_look(self, look: Look) -> "Window":
        return Window(self.looks + 1, _grown(self.candidate, look.candidate), _grown(self.control, look.control))

    def and_then(self, later: "Window") -> "Window":
        return Window(
            self.looks + later.looks,
            _joined(self.candidate, later.candidate),
            _joined(self.control, later.control),
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """All looks of a phase, pooled, and the last ones: bounded whatever the length of the canary."""

    whole: Window = field(default_factory=Window)
    older: Window = field(default_factory=Window)
    newer: Window = field(default_factory=Window)

    @property
    def looks(self) -> int:
        return self.whole.looks

    @property
    def recent(self) -> Window:
        return self.older.and_then(self.newer)

    def with_look(self, look: Look) -> "Evidence":
        full = self.newer.looks >= WINDOW_LOOKS
        newer = Window() if full else self.newer
        return Evidence(self.whole.with_look(look), self.newer if full else self.older, newer.with_look(look))


def _grown(total: Sample, hosts: Mapping[str, Sample]) -> Sample:
    """`total` and what `hosts` did; gauges are the newest ones, not a mean over time."""
    if not hosts:
        return total
    return _joined(total, pool(tuple(hosts.values())))


def _joined(total: Sample, later: Sample) -> Sample:
    if not later.host_s:
        return total
    grown = pool((total, later)) if total.host_s else later
    return replace(grown, gauges=later.gauges)


class Judge(Protocol):
    """Looks at a release once a tick; what it needs to remember is in the evidence that it returns."""

    def look(
        self, rules: JudgeRules, evidence: Evidence, look: Look, reference: Evidence
    ) -> tuple[Evidence, Judgement]:
        """The evidence with this look in it, and what follows.

        `reference` is production of an earlier phase, used where `look` has no control hosts left.
        Never raises for what hosts sent: what cannot be used is "no data", with a reason.
        """
        ...
