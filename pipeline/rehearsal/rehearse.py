"""A judge tried on a scenario: when it rolls the release back, and what the release had done by then."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pipeline.judge.columns import Columns
from pipeline.judge.look import Recorded
from pipeline.judge.trial import Prior, Trial
from pipeline.judge.verdict import Judgement, Verdict
from pipeline.rehearsal.traffic import Scenario

E = TypeVar("E")


class Weigher(Protocol[E]):
    """A `Judge` on columns."""

    def prior(self, trial: Trial, past: Sequence[Recorded]) -> Prior: ...

    def begin(self, trial: Trial, prior: Prior) -> E: ...

    def weigh(self, evidence: E, look: Columns) -> tuple[E, Judgement]: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """One canary, until its first verdict of fail or its planned end."""

    failed_at: int | None
    """The number (from 1) of the look that rolled it back."""
    delay: int | None
    """Looks from the first with the fault in it to that one, both counted; None where it was not for the fault."""
    requests: float
    """Served by the canary hosts from the fault's begin until then, expected."""
    added_errors: float
    """By the fault, among those."""
    looks: int
    """Judged in all."""
    seconds_a_look: float
    """The judge's own time, by the timer; the scenario's is not in it."""
    verdict: Verdict
    """The last one."""
    why: str
    """The last judgement's sentence."""

    @property
    def false(self) -> bool:
        """Whether it was rolled back before there was anything wrong with it."""
        return self.failed_at is not None and self.delay is None


def rehearse(
    judge: Weigher[E], scenario: Scenario, prior: Prior | None = None, timer: Callable[[], float] | None = None
) -> Outcome:
    """`judge` at every look of `scenario`.

    Args:
        judge: what is tried.
        scenario: a canary, good or bad.
        prior: what is known before; None asks the judge, with the scenario's past.
        timer: gives seconds, for `Outcome.seconds_a_look`; without one that is 0.
    """
    clock = timer if timer is not None else lambda: 0.0
    known = judge.prior(scenario.trial, scenario.past) if prior is None else prior
    evidence = judge.begin(scenario.trial, known)
    judgement = Judgement(Verdict.NO_DATA, "nothing was looked at")
    seconds, number, failed_at = 0.0, 0, None
    for number, look in enumerate(scenario.columns(), 1):
        before = clock()
        evidence, judgement = judge.weigh(evidence, look)
        seconds += clock() - before
        if judgement.verdict is Verdict.FAIL:
            failed_at = number
            break
    first = scenario.begins_at
    hit = failed_at is not None and first is not None and failed_at >= first
    requests, added = scenario.toll()[:number].sum(axis=0).tolist()
    return Outcome(
        failed_at,
        number - first + 1 if hit and first is not None else None,
        requests,
        added,
        number,
        seconds / max(number, 1),
        judgement.verdict,
        judgement.why,
    )
