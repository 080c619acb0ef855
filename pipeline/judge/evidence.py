"""All that the judge remembers of a trial: frozen, and bounded whatever its length."""

from dataclasses import dataclass, field

from pipeline.judge.columns import Floats
from pipeline.judge.guards import Streaks
from pipeline.judge.plan import Plan
from pipeline.judge.quantities import Pooled, Tail
from pipeline.judge.sums import Layout
from pipeline.judge.windows import Mark


@dataclass(frozen=True, eq=False)
class Evidence:
    plan: Plan
    layout: Layout
    first_s: Floats
    """(hosts,): when each was first seen, seconds since the trial began; NaN before."""
    now: Mark
    """The sums of all looks so far."""
    marks: tuple[Mark, ...]
    """The sums at the moments where a window may begin."""
    tails: tuple[Tail | None, ...]
    """By counted metric: of a quantile, once it is settled."""
    pooled: tuple[Pooled | None, ...]
    """By counted metric: of a quantile, both groups' histograms so far."""
    streaks: Streaks = field(default_factory=Streaks)
