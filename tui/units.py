"""Numbers with their units, as labels of charts carry them."""

import math

_SCALES: dict[str, tuple[float, str]] = {
    "ratio": (100.0, "%"),
    "s": (1_000.0, "ms"),
    "bytes": (1 / 2**20, "MiB"),
    "cores": (1.0, " cores"),
}


def quantity(value: float | None, unit: str, digits: int = 4) -> str:
    """`value` in the unit that people read it in, to at most `digits` significant digits; "?" where it is unknown.

    `unit` is a `MetricRule.unit`: "ratio" is shown in per cent, "s" in ms, "bytes" in MiB, others as they are.
    """
    if value is None or not math.isfinite(value):
        return "?"
    factor, mark = _SCALES.get(unit, (1.0, unit))
    shown = value * factor
    if not math.isfinite(shown):
        return f"{value:.{digits}g}"
    if shown != 0 and not 1e-4 <= abs(shown) < 1e7:
        return f"{shown:.{digits - 1}e}{mark}"
    before = math.floor(math.log10(abs(shown))) + 1 if shown else digits
    number = f"{shown:.{max(digits - before, 0)}f}"
    return (number.rstrip("0").rstrip(".") if "." in number else number) + mark
