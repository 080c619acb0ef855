"""Freezes: nothing moves forward in a stated window, by hand or by itself."""

from collections.abc import Sequence
from datetime import datetime

from pipeline.gates import Answer, Gate
from pipeline.model import Freeze


def freeze(freezes: Sequence[Freeze], now: datetime) -> Gate:
    """Holds while any freeze is on; of several the one that ends last."""
    on = [window for window in freezes if window.start <= now < window.end]
    if not on:
        return Gate("freeze", Answer.PASS, "no freeze")
    last = max(on, key=lambda window: window.end)
    return Gate(
        "freeze",
        Answer.HOLD,
        f"frozen by {last.owner} until {last.end:%Y-%m-%d %H:%M} UTC: {last.reason}",
        since=last.start,
        until=last.end,
        lifts=f"by itself at its end, or {last.owner} ends it in the configuration",
    )
