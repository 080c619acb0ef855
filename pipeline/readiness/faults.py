"""Fault tolerance: where its hosts stand, and what it does when others fail."""

from collections import Counter

from pipeline.readiness.facts import Found, Subject, fails, passes, unknown
from pipeline.words import some

LEAST_PLACES, LEAST_HOSTS = 2, 2


def spread(of: Subject) -> Found:
    """FLT-1: no host and no datacenter is half of it."""
    hosts = Counter(host.datacenter for host in of.service.production)
    enough = [name for name, count in hosts.items() if count >= LEAST_HOSTS]
    said = ", ".join(f"{name} {count}" for name, count in sorted(hosts.items()))
    if len(enough) < LEAST_PLACES:
        return fails(f"{said or 'no host'}: expected {LEAST_HOSTS} hosts in each of {LEAST_PLACES} datacenters")
    return passes(said)


def guarded(of: Subject) -> Found:
    """FLT-2: every call has an end, a bounded number of repeats, and is cut off while it only fails."""
    known = of.service.rules.staging.dependencies
    if not known:
        return unknown("no dependency is stated")
    odd = [one.name for one in known if one.timeout_s is None or one.retries is None or not one.breaker]
    if odd:
        return fails(f"without timeout, retries or breaker: {some(odd)}")
    return passes(f"{len(known)} stated, each with a timeout, bounded retries and a breaker")


def severities(of: Subject) -> Found:
    """CAT-4: there is a table of severities, and people who may approve a pass."""
    rules = of.service.rules.emergency
    if len(rules.approvers) < LEAST_HOSTS:
        return fails("fewer than two people are named in emergency.approvers")
    return passes(f"{len(rules.severities)} severities, {', '.join(rules.approvers)} approve")
