"""The hosts of a synthetic service: where they stand, how they differ, and which are canary and baseline."""

from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from pipeline.judge.columns import Floats
from pipeline.model import Control, Host, Pool
from pipeline.placement import draw_baseline, sample
from pipeline.rehearsal.profile import DAY_S, QUANTITIES, Profile

PLACES = ("ams1", "fra1", "lon1", "par1", "dub1", "waw1", "mad1", "sto1")
DATACENTER_SPREAD = (0.2, 0.08, 0.05, 0.03, 0.2)
"""Of `QUANTITIES`, standard deviations of logarithms."""
COLD_SPREAD = 0.3
"""How much hosts differ in how hard a cold start is on them, of its logarithm."""


@dataclass(frozen=True, slots=True)
class Plant:
    """Hosts in the order of a trial: canary, baseline, production."""

    names: tuple[str, ...]
    canaries: int
    baselines: int
    """0 where production alone is the control."""
    datacenter: NDArray[np.int64]
    """(hosts,) indices."""
    effects: Floats
    """(quantities, hosts) logarithms, for good."""
    hour: Floats
    """(datacenters,) seconds by which its day runs late."""
    cold: Floats
    """(hosts,) factors on a cold start's height."""
    cold_s: Floats
    """(hosts,) seconds in which it fades to a third."""

    @property
    def places(self) -> tuple[str, ...]:
        return tuple(place(at) for at in self.datacenter)


def place(at: int) -> str:
    return PLACES[at] if at < len(PLACES) else f"dc{at + 1}"


def plant(profile: Profile, control: Control, rng: np.random.Generator) -> Plant:
    """The canary is drawn as the product draws it; the baseline matches it datacenter by datacenter.

    Raises:
        ValueError: the profile has no host left to compare with, or histograms of different lengths.
    """
    if not 0 < profile.canaries < profile.hosts or profile.datacenters < 1:
        raise ValueError(f"{profile.name}: {profile.canaries} canaries of {profile.hosts} hosts leave no control")
    if profile.datacenters > profile.hosts:
        raise ValueError(f"{profile.name}: {profile.datacenters} datacenters of {profile.hosts} hosts leave some empty")
    if len(profile.canary_edges) != len(profile.edges):
        raise ValueError(f"{profile.name}: the new build's histogram must have {len(profile.edges)} edges")
    size, sites = profile.hosts, profile.datacenters
    where = np.arange(size) % sites
    hosts = [
        Host(f"{place(at)}-{n // sites + 1:03d}", "", Pool.PRODUCTION, place(at)) for n, at in enumerate(where.tolist())
    ]
    seed = int(rng.integers(2**32))
    draw = Random(seed)  # noqa: S311 - a fair draw, not a secret
    canary = [host.name for host in sample(hosts, profile.canaries, ("datacenter",), draw)]
    beside = draw_baseline(hosts, canary, ("datacenter",), seed) if control is Control.BASELINE else ()
    order = sorted(range(size), key=lambda at: (hosts[at].name not in canary, hosts[at].name not in beside))
    spread = np.array(profile.host_spread.row())[:, None]
    effects = spread * rng.standard_normal((len(QUANTITIES), size))
    effects += (np.array(DATACENTER_SPREAD)[:, None] * rng.standard_normal((len(QUANTITIES), sites)))[:, where]
    hour = rng.uniform(0, DAY_S) + rng.uniform(-7_200, 7_200, sites)
    cold = np.exp(COLD_SPREAD * rng.standard_normal(size))
    cold_s = rng.uniform(60.0, 120.0, size)
    names = tuple(hosts[at].name for at in order)
    return Plant(names, len(canary), len(beside), where[order], effects[:, order], hour, cold[order], cold_s[order])
