"""Which hosts: the canary's, drawn at random within every stratum, the baseline's beside it, and those of each wave.

Randomness is an argument; a release records its seed, so each of its draws can be replayed.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TypeVar

from pipeline.model import CanaryRules, Host, Wave

T = TypeVar("T")

LEAST, MOST = 0.05, 0.10
"""A canary is this ratio of production hosts, and never fewer than one host."""


def canary_size(hosts: int, share: float) -> int:
    """Canary hosts of `hosts` production hosts: `share`, kept between 5 and 10 % where whole hosts allow."""
    least, most = math.ceil(hosts * LEAST - 1e-9), math.floor(hosts * MOST + 1e-9)
    return max(1, min(max(round(hosts * share), least), most))


def draw_canaries(hosts: Sequence[Host], rules: CanaryRules, seed: int, before: Sequence[str] = ()) -> tuple[str, ...]:
    """Names of the canary hosts: every host has the same chance, every stratum its share, give or take one.

    `before`, the canaries of the release before, are spared where their own stratum has another host to give.
    """
    rng = Random(f"{seed}:canary")  # noqa: S311 - a fair draw, not a secret
    drawn = sample(hosts, canary_size(len(hosts), rules.share), rules.stratify, rng)
    return tuple(host.name for host in _spared(drawn, hosts, rules.stratify, before, rng))


def _spared(
    drawn: Sequence[Host], hosts: Sequence[Host], stratify: Sequence[str], before: Sequence[str], rng: Random
) -> list[Host]:
    """`drawn`, with other hosts of the same strata in place of those of `before`."""

    def stratum(host: Host) -> tuple[object, ...]:
        return tuple(getattr(host, kind) for kind in stratify)

    tired, taken = set(before), {host.name for host in drawn}
    kept: list[Host] = []
    for host in drawn:
        free = [one for one in hosts if one.name not in tired | taken and stratum(one) == stratum(host)]
        spare = host.name in tired and bool(free)
        kept.append(rng.choice(sorted(free, key=lambda one: one.name)) if spare else host)
        taken.add(kept[-1].name)
    return kept


def draw_baseline(
    hosts: Sequence[Host], canaries: Sequence[str], stratify: Sequence[str], seed: int
) -> tuple[str, ...]:
    """Names of the hosts to restart beside `canaries`: as many in each datacenter, none of them a canary.

    A datacenter gives what it can spare: one host there stays as it is, so that it never restarts whole.
    """
    rng = Random(f"{seed}:baseline")  # noqa: S311 - a fair draw, not a secret
    first = set(canaries)
    drawn: list[str] = []
    for _, there in sorted(_grouped(hosts, lambda host: host.datacenter).items()):
        rest = [host for host in there if host.name not in first]
        size = min(len(there) - len(rest), len(rest) - 1)
        if size > 0:
            drawn += [host.name for host in sample(rest, size, stratify, rng)]
    return tuple(drawn)


def sample(hosts: Sequence[Host], size: int, stratify: Sequence[str], rng: Random) -> list[Host]:
    """`size` of `hosts`, by systematic sampling over a shuffled, stratified order.

    Each host is drawn with probability size / len(hosts) exactly; a stratum of n hosts, outer ones and
    inner ones alike, gets floor or ceil of its share n * size / len(hosts).
    """
    if size >= len(hosts):
        return list(hosts)
    ordered = _shuffled_by_stratum(sorted(hosts, key=lambda host: host.name), stratify, rng)
    start = rng.random()
    return [ordered[int((start + turn) * len(ordered) / size)] for turn in range(size)]


def _shuffled_by_stratum(hosts: Sequence[Host], stratify: Sequence[str], rng: Random) -> list[Host]:
    if not stratify:
        return _shuffled(hosts, rng)
    groups = _grouped(hosts, lambda host: str(getattr(host, stratify[0])))
    return [
        host
        for name in _shuffled(sorted(groups), rng)
        for host in _shuffled_by_stratum(groups[name], stratify[1:], rng)
    ]


def _shuffled(things: Sequence[T], rng: Random) -> list[T]:
    return rng.sample(things, len(things))


def _grouped(hosts: Sequence[Host], key: Callable[[Host], str]) -> Mapping[str, list[Host]]:
    groups: dict[str, list[Host]] = {}
    for host in hosts:
        groups.setdefault(key(host), []).append(host)
    return groups


def in_waves(
    hosts: Sequence[Host], waves: Sequence[Wave], canaries: Sequence[str], stratify: Sequence[str], seed: int
) -> tuple[tuple[str, ...], ...]:
    """For each wave the hosts that run the new revision once it is out, canaries and earlier waves included.

    A wave's share is of the hosts that match its place and counts those that run the revision already.
    """
    first = set(canaries)
    out = [host for host in hosts if host.name in first]
    cuts: list[tuple[str, ...]] = []
    for number, wave in enumerate(waves, start=1):
        there = [host for host in hosts if matches(wave, host)]
        taken = {host.name for host in out}
        rest = [host for host in there if host.name not in taken]
        missing = math.ceil(wave.share * len(there) - 1e-9) - (len(there) - len(rest))
        if missing > 0:
            rng = Random(f"{seed}:wave-{number}")  # noqa: S311 - a fair draw, not a secret
            out += sample(rest, missing, stratify, rng)
        cuts.append(tuple(host.name for host in out))
    return tuple(cuts)


def matches(wave: Wave, host: Host) -> bool:
    return not wave.kind or getattr(host, wave.kind) == wave.place
