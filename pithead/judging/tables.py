"""How simulated releases ended, as numbers, a table and a chart."""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.model import JudgeRules
from pipeline.rehearsal.binomial import interval
from pipeline.rehearsal.profile import Profile
from pipeline.rehearsal.rehearse import Outcome
from pipeline.words import duration, percent
from pithead.judging.charts import heights
from pithead.judging.sizing import Sized

WIDTH = 48
HEAD = ("FAULT", "CAUGHT", "MEDIAN", "", "P90", "", "BAD REQUESTS", "ERRORS MORE")
SHOWN = ("hosts", "canaries", "datacenters", "tick_s", "looks", "rps", "error_ratio", "latency_s", "history_s")


@dataclass(frozen=True, slots=True)
class Good:
    releases: int
    false: int
    """Rolled back."""
    rate: float
    bound: float
    """95 % upper bound."""
    ms_a_look: float
    """Of the judge's own time, median."""


@dataclass(frozen=True, slots=True)
class Summary:
    fault: str
    releases: int
    caught: float
    """Ratio of the releases that was rolled back for the fault."""
    false: int
    """Rolled back before the fault began."""
    median: float | None
    p90: float | None
    """Looks from the first with the fault in it, both counted, of those that were caught."""
    requests: float
    """Median of what the bad build served until it was rolled back, or to the end."""
    added_errors: float
    """Median of the errors that it added to them."""


def good(outcomes: Sequence[Outcome]) -> Good:
    false = sum(outcome.failed_at is not None for outcome in outcomes)
    _, bound = interval(false, len(outcomes))
    cost = statistics.median(outcome.seconds_a_look for outcome in outcomes)
    return Good(len(outcomes), false, false / len(outcomes), bound, 1000 * cost)


def summary(fault: str, outcomes: Sequence[Outcome]) -> Summary:
    delays = sorted(outcome.delay for outcome in outcomes if outcome.delay is not None)
    return Summary(
        fault,
        len(outcomes),
        len(delays) / len(outcomes),
        sum(outcome.false for outcome in outcomes),
        statistics.median(delays) if delays else None,
        delays[math.ceil(0.9 * len(delays)) - 1] if delays else None,
        statistics.median(outcome.requests for outcome in outcomes),
        statistics.median(outcome.added_errors for outcome in outcomes),
    )


def _some(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def setting(like: Sized, seed: int) -> Iterator[str]:
    profile = like.profile
    length = duration(profile.looks * profile.tick_s)
    yield (
        f"{profile.name}: {_some(profile.canaries, 'canary', 'canaries')} of {profile.hosts} hosts in "
        f"{_some(profile.datacenters, 'datacenter', 'datacenters')}, "
        f"control {like.rules.control}; {profile.looks} looks {profile.tick_s:g} s apart, {length}; seed {seed}"
    )
    yield (
        f"  made-up traffic: {profile.rps:.3g} requests a second and host, {percent(profile.error_ratio)} errors, "
        f"{1000 * profile.latency_s:.0f} ms; {duration(profile.history_s)} of history before it"
    )
    for note in like.notes:
        yield f"  {note}"


def false_rollbacks(outcomes: Sequence[Outcome], rules: JudgeRules) -> str:
    known = good(outcomes)
    return (
        f"good releases: {known.false} of {known.releases} rolled back, {percent(known.rate)}; "
        f"at most {percent(known.bound)} (95 %), configured {percent(rules.false_rollback)}"
    )


def detection(by_fault: Mapping[str, Sequence[Outcome]], tick_s: float) -> list[tuple[str, ...]]:
    return [HEAD, *(_row(summary(name, outcomes), tick_s) for name, outcomes in by_fault.items())]


def _row(of: Summary, tick_s: float) -> tuple[str, ...]:
    caught = percent(of.caught, 0) + (f" (and {of.false} before it began)" if of.false else "")
    delays = (*_delay(of.median, tick_s), *_delay(of.p90, tick_s))
    return (of.fault, caught, *delays, f"{of.requests:,.0f}", f"{of.added_errors:,.0f}")


def _delay(looks: float | None, tick_s: float) -> tuple[str, str]:
    if looks is None:
        return "never", ""
    return f"{looks:g} look{'' if looks == 1 else 's'}", duration(looks * tick_s)


def over_time(by_fault: Mapping[str, Sequence[Outcome]], profile: Profile, *, blocks: bool) -> Iterator[str]:
    """By fault, the part that was caught within so many looks: full height is all, the axis is logarithmic."""
    edges = axis(profile.looks)
    width = max(map(len, by_fault), default=0)
    yield "caught within so many looks of the fault's begin, full height is all"
    for name, outcomes in by_fault.items():
        delays = [outcome.delay for outcome in outcomes if outcome.delay is not None]
        parts = [sum(delay <= edge for delay in delays) / len(outcomes) for edge in edges]
        yield f"  {name:{width}} |{heights(parts, blocks=blocks)}|"
    yield f"  {'':{width}}  {marks(edges)}"
    yield f"  {'':{width}}  looks; the last is {duration(profile.looks * profile.tick_s)}"


def axis(looks: int) -> list[int]:
    """Looks that the cells of a row stand for, 1 to `looks`."""
    return [max(round(looks ** (cell / (WIDTH - 1))), 1) for cell in range(WIDTH)]


def marks(edges: Sequence[int]) -> str:
    """Numbers under the first cells that reach 1, 2, 5, 10 ..., as many as there is room for."""
    line = ""
    wanted = [step * 10**power for power in range(8) for step in (1, 2, 5)]
    for mark in wanted:
        cell = next((at for at, edge in enumerate(edges) if edge >= mark), None)
        if cell is not None and cell >= len(line) + bool(line):
            line = f"{line:{cell}}{mark}"
    return line
