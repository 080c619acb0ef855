"""How gates say times, ratios and whom to ask."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal

from pipeline.gates import Gate
from pipeline.model import Service


def at(when: datetime) -> str:
    """As in "2025-01-15 09:00 UTC"."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def clock(when: datetime) -> str:
    """Of a time that is near: "14:02 UTC"."""
    return f"{when.astimezone(UTC):%H:%M} UTC"


def span(seconds: float) -> str:
    """Never more than there is: "41s", "12m00s", "6h00m", "3d02h", "-7m41s"."""
    whole = math.floor(seconds)
    sign, whole = ("-", -whole) if whole < 0 else ("", whole)
    for unit, name, part, small in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "m"), (60, "m", 1, "s")):
        if whole >= unit:
            return f"{sign}{whole // unit}{name}{whole % unit // part:02d}{small}"
    return f"{sign}{whole}s"


def whole_percent(ratio: float) -> str:
    """Truncated towards less: -1.777 is "-178 %"."""
    return f"{math.floor(round(100 * ratio, 9))} %"


def times(part: float, of: float) -> str:
    """How many times `of` goes into `part`, on the dearer side: "2.74"."""
    ratio = Decimal(repr(part)) / Decimal(repr(of))
    return str(ratio.quantize(Decimal("0.01"), ROUND_CEILING))


def count(number: int, one: str, many: str = "") -> str:
    """As in "1 outage", "3 outages"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def and_more(found: Sequence[object], most: int = 1) -> str:
    """How many there are beyond `most`: " and 2 more"; "" of none."""
    return f" and {len(found) - most} more" if len(found) > most else ""


_PEOPLE = (("a person: ", "a person lifts it: "), ("an operator: ", "an operator lifts it: "))


def lifted(gate: Gate) -> str:
    """What lifts it, as a sentence: "it lifts by itself, ...", "a person lifts it: pithead unlock pricing"."""
    said = gate.lifts
    for noun, sentence in _PEOPLE:
        if said.startswith(noun):
            return sentence + said.removeprefix(noun)
        said = said.replace(f" or {noun}", f" or {sentence}")
    if said.startswith("nothing: "):
        return said.replace(": ", " lifts it: ", 1)
    return f"it lifts {said}" if said else ""


def mend(gate: Gate) -> str:
    """What whoever is refused by it can do."""
    sentence = lifted(gate)
    if sentence.startswith(("an operator ", "nothing ")):
        return sentence
    if not sentence:
        return "wait"
    return f"wait, or {sentence}" if sentence.startswith("a person ") else f"wait; {sentence}"


def broken_glass(service: Service) -> str:
    """The last way out, as it stands behind the others."""
    severe = " or ".join(service.rules.emergency.severe)
    return f", or break-glass in a {severe}" if severe else ""
