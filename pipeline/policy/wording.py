"""How gates say times, ratios and whom to ask."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from pipeline.gates import Gate
from pipeline.model import Service

LONG = timedelta(minutes=10)


def at(when: datetime) -> str:
    """As in "2025-01-15 09:00 UTC"."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def from_to(start: datetime, end: datetime) -> tuple[str, str]:
    """As `at`; with seconds where minutes would tell little of what lies between."""
    if end - start >= LONG:
        return at(start), at(end)
    return at_s(start), at_s(end)


def at_s(when: datetime) -> str:
    """As in "2025-01-15 09:00:07 UTC"."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def clock(when: datetime) -> str:
    """Of a time that is near: "14:02 UTC"."""
    return f"{when.astimezone(UTC):%H:%M} UTC"


def clock_s(when: datetime) -> str:
    """Of a time that is so near that seconds count: "14:02:11 UTC"."""
    return f"{when.astimezone(UTC):%H:%M:%S} UTC"


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


def overspent(service: Service) -> str:
    """The way past what was overspent, behind the others."""
    return ", or for one build an approved security fix" if service.rules.emergency.approvers else ""
