"""Waves of production as the file writes them: "fra1", "region:eu 50%", "25%", "100%"."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from adapters.config.errors import Spot, nearest
from adapters.config.values import per_cent
from pipeline.model import Host, Wave
from pipeline.placement import matches
from pipeline.text import is_identifier

KINDS = ("datacenter", "region", "country", "provider")
_WANTED = 'a wave such as "fra1", "region:eu 50%" or "100%"'


@dataclass(slots=True)
class Places:
    """Names of what waves can be cut by."""

    names: Mapping[str, set[str]] = field(default_factory=lambda: {kind: set() for kind in KINDS})

    def add(self, kind: str, name: str) -> None:
        if name:
            self.names[kind].add(name)


def places_of(hosts: Iterable[Host]) -> Places:
    places = Places()
    for host in hosts:
        for kind in KINDS:
            places.add(kind, getattr(host, kind))
    return places


def wave(value: object, spot: Spot) -> Wave:
    """Reads one wave; whether its place is known is asked by `check`."""
    words = value.split() if isinstance(value, str) else []
    share = per_cent(words[-1]) if words else None
    if share is not None:
        words.pop()
    if len(words) > 1 or (share is None and not words):
        spot.expected(_WANTED, value)
    share = 1.0 if share is None else share
    if not 0 < share <= 1:
        spot.expected("a share above 0% and up to 100%", value)
    if not words:
        return Wave("", "", share)
    kind, colon, place = words[0].partition(":")
    if not colon:
        kind, place = "datacenter", kind
    if kind not in KINDS or not is_identifier(place):
        spot.expected(f"{_WANTED}; places are {', '.join(KINDS)}", value)
    return Wave(kind, place, share)


def check(waves: Sequence[Wave], places: Places, whose: str, spot: Spot) -> None:
    """Report waves to places that are not among `places`, that add nothing, and an end short of 100 %."""
    shares: dict[tuple[str, str], float] = {}
    for number, each in enumerate(waves):
        at = spot / number
        before = max(shares.get((each.kind, each.place), 0.0), shares.get(("", ""), 0.0) if each.kind == "" else 0.0)
        if each.kind and each.place not in places.names[each.kind]:
            at.wrong(
                f'expected a {each.kind} {whose}, got "{each.place}": {nearest(each.place, places.names[each.kind])}'
            )
        elif each.share <= before:
            at.wrong(f"expected more than the {before:.0%} of an earlier wave, got {each.share:.0%}")
        shares[each.kind, each.place] = max(each.share, before)
    if waves and (waves[-1].kind or waves[-1].share < 1):
        (spot / (len(waves) - 1)).wrong(f'expected "100%" as the last wave, got "{waves[-1]}"')


def there(waves: Sequence[Wave], hosts: Sequence[Host]) -> tuple[Wave, ...]:
    """Those of `waves` that reach any of `hosts`: an organisation's wave means nothing where a service has no host."""
    return tuple(each for each in waves if any(matches(each, host) for host in hosts))
