"""Configured and discovered hosts together: who is where now, what has changed, and what is not believed.

A doubt never takes a host away. What cannot be believed changes nothing: the host of that name or
address stays as it is, and a new one is left out. A service that would be without a staging or
without a production host stays wholly as it is.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from adapters.discovery.changes import ServiceChange, in_order
from adapters.discovery.found import Found, Unsound, listed
from adapters.discovery.sift import Claim, Configured, Doubt, Hosts, all_of, beside_configured, keys, placed, unique
from pipeline.model import Host, Pool
from pipeline.text import PlainText, plain

MOST_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class Merged:
    hosts: Hosts
    """Of every configured service."""
    changes: tuple[ServiceChange, ...] = ()
    problems: tuple[PlainText, ...] = ()


def merge(
    configured: Configured, found: Iterable[tuple[str, Found]], before: Hosts, *, complete: bool = True
) -> Merged:
    """The hosts of every configured service.

    Args:
        configured: taken as it stands; no discovered host changes one of these.
        found: (name of the source, its answer).
        before: the hosts in force, which stay in case of doubt.
        complete: False while a source has not answered yet; then no host vanishes.
    """
    found = list(found)
    doubts = [Doubt(source, unsound) for source, answer in found for unsound in answer.unsound]
    claims = [
        Claim(source, service, host)
        for source, answer in found
        for service, hosts in answer.hosts.items()
        for host in hosts
    ]
    for sift in (placed, beside_configured, unique):
        claims, more = sift(claims, configured)
        doubts += more
    wanted = _wanted(configured, claims, before, doubts, complete=complete)
    refused = _refused(wanted, before)
    hosts = {name: before.get(name, ()) if name in refused else wanted[name] for name in wanted}
    changes = (ServiceChange.between(name, before.get(name, ()), now) for name, now in hosts.items())
    poor = (
        plain(f"{name}: it has no {lacking} host")
        for name, now in hosts.items()
        if name not in refused and (lacking := _lacking(now))
    )
    return Merged(hosts, tuple(filter(None, changes)), _bounded([*refused.values(), *poor, *_told(doubts)]))


def _wanted(
    configured: Configured, claims: Sequence[Claim], before: Hosts, doubts: Sequence[Doubt], *, complete: bool
) -> dict[str, tuple[Host, ...]]:
    discovered: dict[str, list[Host]] = {name: [] for name in configured.services}
    for claim in claims:
        discovered[claim.service].append(claim.host)
    taken = {key for _, host in (*all_of(configured.services), *all_of(discovered)) for key in keys(host)}
    doubtful = {("name", doubt.about.name) for doubt in doubts}
    doubtful |= {("address", doubt.about.address.lower()) for doubt in doubts}
    for service, host in all_of(before):
        in_doubt = not complete or not doubtful.isdisjoint(keys(host))
        if in_doubt and service in discovered and taken.isdisjoint(keys(host)):
            discovered[service].append(host)
    return {name: (*hosts, *in_order(discovered[name])) for name, hosts in configured.services.items()}


def _refused(wanted: Hosts, before: Hosts) -> dict[str, PlainText]:
    """Why a service's hosts stay as they are, by service."""
    refused = {
        name: plain(f"{name}: no {lacking} host would be left: its hosts stay as they are")
        for name, hosts in wanted.items()
        if hosts != before.get(name, ()) and (lacking := _lacking(hosts))
    }
    while True:
        # A host that one service keeps cannot be another's.
        held = {key: name for name in refused for host in before.get(name, ()) for key in keys(host)}
        also = {
            name: plain(f"{name}: it would get a host that {held[key]} keeps: its hosts stay as they are")
            for name, hosts in wanted.items()
            if name not in refused
            for host in hosts
            for key in keys(host)
            if key in held
        }
        if not also:
            return refused
        refused |= also


def _lacking(hosts: Sequence[Host]) -> str:
    """Pools without a host, such as "staging and no production"; nothing if there is one of each."""
    return " and no ".join(pool.value for pool in Pool if not any(host.pool is pool for host in hosts))


def _told(doubts: Iterable[Doubt]) -> Iterator[PlainText]:
    """A line for each mistake, whoever makes it."""
    whose: dict[tuple[str, PlainText], dict[str, None]] = {}
    for doubt in doubts:
        whose.setdefault((doubt.source, doubt.about.why), {})[doubt.shown or _called(doubt.about)] = None
    for (source, why), who in whose.items():
        yield plain(f"{source}: {why}: {listed(who)}")


def _called(about: Unsound) -> str:
    if about.name and about.address.rpartition(":")[0] != about.name:
        return f"{about.name} ({about.address})"
    return about.address or '""'


def _bounded(problems: Sequence[PlainText]) -> tuple[PlainText, ...]:
    if len(problems) <= MOST_PROBLEMS:
        return tuple(problems)
    return (*problems[:MOST_PROBLEMS], plain(f"and {len(problems) - MOST_PROBLEMS:,} more such problems"))
