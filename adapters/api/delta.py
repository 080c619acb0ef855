"""From one fleet view to the next with no more than what differs, there and back."""

from adapters.api.codec import Delta
from pipeline.view import FleetView, ServiceRow


def diff(before: FleetView, after: FleetView) -> Delta:
    """`after` as a change of `before`. The controller keeps rows that say the same, so identity decides."""
    if len(before.services) == len(after.services):
        pairs = [(old, new) for old, new in zip(before.services, after.services, strict=True) if old is not new]
        if all(old.name == new.name for old, new in pairs):
            return _delta(before, after, tuple(new for _, new in pairs), None)
    known = {id(row) for row in before.services}
    changed = tuple(row for row in after.services if id(row) not in known)
    return _delta(before, after, changed, tuple(row.name for row in after.services))


def _delta(
    before: FleetView, after: FleetView, changed: tuple[ServiceRow, ...], names: tuple[str, ...] | None
) -> Delta:
    return Delta(
        since=before.sequence,
        at=after.at,
        sequence=after.sequence,
        tick_s=after.tick_s,
        changed=changed,
        names=names,
        last=after.last,
        notices=after.notices,
        day=after.day,
    )


def apply(before: FleetView, delta: Delta) -> FleetView:
    """The view after `delta`; rows that it does not name stay the same objects.

    Raises `ValueError` for a delta of another view.
    """
    if delta.since != before.sequence:
        raise ValueError(f"a change of view {delta.since}, but the last one was {before.sequence}")
    rows = {row.name: row for row in before.services}
    order = tuple(rows) if delta.names is None else delta.names
    rows.update((row.name, row) for row in delta.changed)
    if not set(rows).issuperset(order) or (delta.names is None and len(rows) != len(order)):
        raise ValueError("a change of services that nobody named before")
    services = tuple(rows[name] for name in order)
    return FleetView(delta.at, delta.sequence, delta.tick_s, services, delta.last, delta.notices, delta.day)
