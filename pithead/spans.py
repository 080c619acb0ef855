"""Times and ratios of budgets and papers, in the gates' own words; "?" where nobody knows."""

import math
from datetime import datetime

from pipeline.policy.wording import at, span, whole_percent


def left(seconds: float | None) -> str:
    """Time left: "41s", "2m41s", "6h00m", "-7m41s" overdrawn."""
    return "?" if seconds is None or not math.isfinite(seconds) else span(seconds)


def per_cent(ratio: float | None) -> str:
    """Of a budget, cut and never rounded up: "12 %", "-178 %"."""
    return "?" if ratio is None or not math.isfinite(ratio) else whole_percent(ratio)


def instant(when: datetime, already: str = "") -> str:
    """As "2025-01-15 09:04 UTC"; "" where the text `already` says it."""
    said = at(when)
    return "" if said in already else said
