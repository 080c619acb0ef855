"""Deploy frequency: at most so many releases of a service a day, and a gap between two."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pipeline.gates import Answer, Gate
from pipeline.model import FrequencyRules
from pipeline.policy.wording import at
from pipeline.words import duration

DAY = timedelta(days=1)


def frequency(rules: FrequencyRules, started: Sequence[datetime], now: datetime) -> Gate:
    """`started`: when releases of the service went to staging, newest first, this one left out."""
    today = [began for began in started if now - began < DAY]
    since: datetime | None = None
    until: datetime | None = None
    why = f"{len(today)} in the last 24 h"
    if rules.per_day is not None and len(today) >= rules.per_day:
        since, until = today[len(today) - rules.per_day], today[rules.per_day - 1] + DAY
        why = f"{len(today)} of {rules.per_day} releases of the last 24 h are used"
    if started and now - started[0] < timedelta(seconds=rules.min_gap_s):
        end = started[0] + timedelta(seconds=rules.min_gap_s)
        if until is None or end > until:
            since, until = started[0], end
            why = f"the last release began less than {duration(rules.min_gap_s)} ago"
    if until is None:
        return Gate("frequency", Answer.PASS, why)
    why = f"{why}; the next may begin at {at(until)}"
    return Gate("frequency", Answer.HOLD, why, since, until, "by itself")
