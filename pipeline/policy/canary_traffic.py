"""A canary without its share of the traffic proves nothing: what it serves is held against what its hosts are.

Its share is that of its hosts, datacenter by datacenter: where it is night, a host serves less.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from pipeline.gates import Answer, Gate
from pipeline.lifecycle import Rollout, Served
from pipeline.model import Host, OffShare, Service
from pipeline.signals import Sample

NAME = "canary-traffic"
ENOUGH = 100
"""Requests that the canary's share must come to before it is judged; half a cycle's where that asks for fewer."""
NOISE = 3.0
"""Standard deviations of a count that no balancer is to blame for."""


def shared(served: Served, own: float, due: float, of: float, seconds: float, cycle_s: float) -> Served:
    """`served` and a look more, in which the canary had `own` of `of` requests and `due` was its share.

    What is a traffic cycle old weighs a third.
    """
    keep = math.exp(-seconds / cycle_s)
    return replace(
        served,
        lately=served.lately * keep + own,
        due_lately=served.due_lately * keep + due,
        all_lately=served.all_lately * keep + of,
    )


def share(
    hosts: Sequence[Host], canaries: Collection[str], samples: Mapping[str, Sample], counter: str
) -> tuple[float, float, float]:
    """(requests of the canaries, what their share is, requests of all) of production's `hosts` that have a sample."""
    canary_s: dict[str, float] = defaultdict(float)
    other_s: dict[str, float] = defaultdict(float)
    others: dict[str, float] = defaultdict(float)
    own = 0.0
    for host in hosts:
        sample = samples.get(host.name)
        if sample is None:
            continue
        had = sample.counters.get(counter, 0.0)
        if host.name in canaries:
            canary_s[host.datacenter] += sample.host_s
            own += had
        else:
            other_s[host.datacenter] += sample.host_s
            others[host.datacenter] += had
    of, all_other_s = own + sum(others.values()), sum(other_s.values())
    # Where only canaries are, nothing there says what they should have.
    anywhere = sum(others.values()) / all_other_s if all_other_s > 0.0 else 1.0
    pace = {place: others[place] / its_s if (its_s := other_s[place]) > 0.0 else anywhere for place in canary_s}
    theirs = sum(pace[place] * its_s for place, its_s in canary_s.items())
    whole = theirs + sum(others.values())
    return own, of * theirs / whole if whole > 0.0 else 0.0, of


def canary_traffic(service: Service, rollout: Rollout) -> Gate:
    """Holds, or warns, while the canary serves less or more than its share, or nobody can tell yet."""
    rules, served = service.rules.canary, rollout.served
    if not {host.name for host in service.production}.intersection(rollout.canaries):
        why = "no canary host is among production's hosts any more: nobody knows what the canary serves"
        return _off(rules.traffic, why, "by itself, once one is found again")
    enough = min(ENOUGH, service.rules.cycle.requests / 2)
    if served.due_lately < enough:
        why = f"{math.floor(served.due_lately):,} requests are its share so far: {math.ceil(enough):,} will tell"
        return _off(rules.traffic, why, "by itself, once there are enough")
    if served.due_lately <= 0.0:
        return Gate(NAME, Answer.PASS, "there were no requests to share, and none are asked for")
    said = f"canary serves {_percent(served.lately / served.all_lately)} of requests with {_hosts(service, rollout)}"
    within = max(rules.traffic_within, NOISE / math.sqrt(served.due_lately))
    if abs(served.lately - served.due_lately) <= within * served.due_lately:
        return Gate(NAME, Answer.PASS, said)
    why = f"{said}: weight or health of the canary hosts in the balancer?"
    return _off(rules.traffic, why, f"by itself, once it serves its share within {_percent(within)} of it")


def _off(does: OffShare, why: str, lifts: str) -> Gate:
    if does is OffShare.WARN:
        return Gate(NAME, Answer.PASS, why, warns=why)
    return Gate(NAME, Answer.HOLD, why, lifts=lifts)


def _hosts(service: Service, rollout: Rollout) -> str:
    """Its share of the hosts, and of the traffic where the datacenters make it another."""
    canaries = set(rollout.canaries)
    there = [host.name for host in service.production]
    of_hosts = sum(name in canaries for name in there) / max(len(there), 1)
    due = rollout.served.due_lately / rollout.served.all_lately
    by_place = f" ({_percent(due)} by their datacenters)" if abs(due - of_hosts) > 0.1 * of_hosts else ""
    return f"{_percent(of_hosts)} of hosts{by_place}"


def _percent(ratio: float) -> str:
    """As in "1.2 %", "8 %"."""
    return f"{100 * ratio:.1f}".removesuffix(".0") + " %"
