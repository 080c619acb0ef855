"""Hosts that come and go while the controller runs: what is said of it."""

from collections.abc import Iterable

from pipeline.lifecycle import Rollout
from pipeline.model import Host, Service
from pipeline.words import some


def changed(before: Service, after: Service, rollout: Rollout | None) -> str:
    """What is new, gone and otherwise, in one line; "" where nothing is."""
    old, new = _by_name(before.hosts), _by_name(after.hosts)
    gone = [name for name in old if name not in new]
    parts = [
        _part("found", [name for name in new if name not in old]),
        _part("gone", gone),
        _part("changed", [name for name in new if name in old and new[name] != old[name]]),
    ]
    said = "; ".join(part for part in parts if part)
    touched = [name for name in gone if rollout is not None and not rollout.ended and name in rollout.out]
    if touched:
        assert rollout is not None  # noqa: S101 - nothing is touched without one
        said += f"; {some(touched)} of {rollout.revision} vanished in mid-rollout: counted as out of reach"
    return said


def _by_name(hosts: Iterable[Host]) -> dict[str, Host]:
    return {host.name: host for host in hosts}


def _part(word: str, names: list[str]) -> str:
    return f"{word} {len(names)} host{'' if len(names) == 1 else 's'}: {some(names)}" if names else ""
