"""Hosts that come and go while the controller runs, and what the rules find in them: what is said of it."""

from collections.abc import Iterable, Sequence

from pipeline.lifecycle import Rollout
from pipeline.model import Host, Service
from pipeline.policy.wording import and_more
from pipeline.staging import Finding, Level
from pipeline.words import some


def same(found: Service, known: Service) -> bool:
    return found.hosts == known.hosts and found.findings == known.findings


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
    return "; ".join(filter(None, (said, _isolation(before.findings, after.findings))))


def _isolation(before: Sequence[Finding], after: Sequence[Finding]) -> str:
    """What holds releases from now on, or no longer; what nobody can tell for a moment is no news."""
    old, new = ([one for one in found if one.level is Level.ERROR] for found in (before, after))
    known = {(one.rule, one.why) for one in old}
    fresh = [one for one in new if (one.rule, one.why) not in known]
    if fresh:
        return f"isolation: {fresh[0].rule}: {fresh[0].why}{and_more(fresh)}"
    return "isolation: no error any more" if old and not new else ""


def _by_name(hosts: Iterable[Host]) -> dict[str, Host]:
    return {host.name: host for host in hosts}


def _part(word: str, names: list[str]) -> str:
    return f"{word} {len(names)} host{'' if len(names) == 1 else 's'}: {some(names)}" if names else ""
