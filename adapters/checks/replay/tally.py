"""What a replay has seen, and what it comes to."""

from dataclasses import dataclass, field
from statistics import median

from adapters.checks.finding import Finding
from pipeline.checks import Against, ReplayRule
from pipeline.text import plain


@dataclass(slots=True)
class Tally:
    """Counts answers as they come in, in any order."""

    rule: ReplayRule
    planned: int
    answered: int = 0
    differing: int = 0
    not_held: int = 0
    """Production did not answer: nothing to hold against."""
    by_status: int = 0
    """The recording has no body."""
    first: tuple[int, str] | None = None
    """The first that differs, in the order of the recording."""
    first_not_held: tuple[int, str] | None = None
    took_ms: list[float] = field(default_factory=list)
    held_ms: list[float] = field(default_factory=list)

    def differs(self, number: int, why: str) -> None:
        self.answered += 1
        self.differing += 1
        if self.first is None or number < self.first[0]:
            self.first = (number, why)

    def nothing_to_hold(self, number: int, why: str) -> None:
        self.answered += 1
        self.not_held += 1
        if self.first_not_held is None or number < self.first_not_held[0]:
            self.first_not_held = (number, why)

    def same(self) -> None:
        self.answered += 1

    def timed(self, took_ms: float, held_ms: float | None) -> None:
        if held_ms is not None:
            self.took_ms.append(took_ms)
            self.held_ms.append(held_ms)

    def finding(self, deadline_s: float | None, notes: tuple[str, ...]) -> Finding:
        """What it comes to; `deadline_s` if it ended there."""
        as_what = "as recorded" if self.rule.against is Against.RECORDING else "as production's"
        same = self.answered - self.differing - self.not_held
        said = [f"{same:,} of {self.answered:,} answers {as_what}"]
        if self.first is not None:
            more = f" ({self.differing - 1:,} more)" if self.differing > 1 else ""
            said.append(f"first different: {plain(self.first[1], 260)}{more}")
        if self.first_not_held is not None:
            said.append(f"{self.not_held:,} not compared: {plain(self.first_not_held[1], 120)}")
        slow, latency = self._latency()
        if latency:
            said.append(latency)
        if self.by_status:
            said.append(f"{self.by_status:,} by status alone")
        if deadline_s is not None:
            said.insert(0, f"not done in {deadline_s:g} s, {self.answered:,} of {self.planned:,} sent and answered")
        few = self.differing + self.not_held <= self.rule.differing * self.answered
        passed = deadline_s is None and same > 0 and few and not slow
        return Finding(passed, "; ".join((*said, *notes)))

    def _latency(self) -> tuple[bool, str]:
        """(whether it fails for it, in words)."""
        allowed = self.rule.slower
        if allowed is None:
            return False, ""
        if not self.took_ms or not median(self.held_ms) > 0:
            return True, "slower is asked for, and there are no times to compare"
        took, held = median(self.took_ms), median(self.held_ms)
        word = "recorded" if self.rule.against is Against.RECORDING else "production"
        slow = took > held * (1 + allowed)
        limit = f", at most {held * (1 + allowed):.3g} ms" if slow else ""
        return slow, f"median {took:.3g} ms, {word} {held:.3g} ms{limit}"
