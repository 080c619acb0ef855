"""Numbers as people say them, for the sentences that the rules give as reasons."""

import math

_SPANS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def duration(seconds: float) -> str:
    """Truncated to two units: "41 s", "5 min", "15 h 08 min", "3 d 02 h"."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    for index, (span, unit) in enumerate(_SPANS):
        if whole >= span:
            big, rest = divmod(whole, span)
            smaller, name = _SPANS[index + 1] if index + 1 < len(_SPANS) else (1, "s")
            small = rest // smaller
            return f"{big} {unit} {small:02d} {name}" if small else f"{big} {unit}"
    raise AssertionError(seconds)


def percent(ratio: float, digits: int = 2) -> str:
    return f"{100 * ratio:.{digits}f} %"


def points(ratio: float) -> str:
    """A difference of ratios in percentage points: "+0.08pp"."""
    return f"{100 * ratio:+.2f}pp"


def relative(ratio: float) -> str:
    """A relative difference: "+3%"."""
    return f"{100 * ratio:+.0f}%"


def amount(value: float, unit: str) -> str:
    """A metric's value in its unit (`MetricRule.unit`)."""
    if unit == "ratio":
        return percent(value)
    if unit == "s":
        return f"{_digits(1000 * value, 0)} ms"
    if unit == "bytes":
        return f"{_digits(value / 2**20, 0)} MiB"
    number = _digits(value, 2) if abs(value) < 1 else f"{value:,.2f}"
    return f"{number}{'' if unit.startswith('/') or not unit else ' '}{unit}"


def _digits(value: float, places: int) -> str:
    """With so many places, or more where two digits would not be left: 0.0092 is not 0.01."""
    if math.isfinite(value) and value != 0:
        places = min(max(1 - math.floor(math.log10(abs(value))), places), 9)
    return f"{value:.{places}f}"


def either(names: list[str], most: int = 3) -> str:
    """Any one of them: "ana", "ana or ben", "ana, ben or eva", "ana, ben, eva or 4 more"."""
    shown = names if len(names) <= most else [*names[:most], f"{len(names) - most} more"]
    return " or ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))


def some(names: list[str], most: int = 3) -> str:
    """The first few of many: "a, b, c and 4 more"."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
