"""Error budgets from counted requests: what the objective allows against what went wrong."""

from decimal import Decimal

from pipeline.model import BudgetRules
from pipeline.view import Budget

_LABELS = ((86_400, "d"), (3_600, "h"), (60, "m"))


def budget(rules: BudgetRules, total: int, bad: int, error_ratio: float | None) -> Budget:
    """`total` and `bad` requests of the window; `error_ratio` of the last moments, for the burn rate.

    Exact until it is shown: left = 1 - bad / ((1 - objective) * total), negative once overdrawn; unknown
    until there were enough requests for one bad one to be allowed.
    """
    allowed = 1 - rules.objective
    left = float(1 - Decimal(bad) / (allowed * total)) if allowed * total >= 1 else None
    burn = None if error_ratio is None else error_ratio / float(allowed)
    return Budget(left, window_label(rules.window_s), burn)


def window_label(window_s: float) -> str:
    """In the largest unit that divides it: "30d", "1h"; else in seconds."""
    for span, unit in _LABELS:
        if window_s >= span and window_s % span == 0:
            return f"{int(window_s // span)}{unit}"
    return f"{int(window_s)}s"
