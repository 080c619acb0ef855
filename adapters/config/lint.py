"""What is allowed but hardly meant. Warnings keep nobody from starting."""

import math
from collections import Counter
from collections.abc import Sequence

from adapters.config.durations import written
from adapters.config.errors import Spot
from adapters.config.schema import Values
from adapters.means import Means
from pipeline.model import Control, Host, Rules, Service
from pipeline.placement import MOST, canary_size
from pipeline.words import some

DAY_S = 86_400.0
COLD = (("judge", "warmup_s", "warmup"), ("cycle", "duration_s", "duration"), ("judge", "control", "control"))
"""Section, field and key of what makes a warm-up outlast the cycle, the likeliest first."""


def service(service: Service, said: Values, root: Spot) -> None:
    """Warn of one service. A thing that it takes from the organisation is told there, once for all services."""
    spot = root / "service" / service.name
    if not service.rules.checks:
        spot.warn("has no staging check: every build passes staging")
    _hosts(service, spot)
    saying = [(spot, said["service"][service.name]), (root / "organisation", said.get("organisation", {}))]
    _warmup(service.rules, saying)
    _idle(service.rules, saying)
    _metrics(service.rules, saying)


def means(service: Service, its: Means, root: Spot) -> None:
    """Warn of how a service is reached: what takes longer than a deploy may."""
    spot, deadline_s = root / "service" / service.name, service.rules.deploy.deadline_s
    if its.seat is not None and 2 * its.seat.drain_s > deadline_s:
        (spot / "balancer" / "drain").warn(
            f"may take {written(its.seat.drain_s)} of the {written(deadline_s)} that a host has for its whole deploy: "
            "a host that drains for long has no time left to start"
        )
    if its.health is not None and 2 * its.health.healthy_for_s > deadline_s:
        (spot / "health" / "healthy_for").warn(
            f"{written(its.health.healthy_for_s)} of the {written(deadline_s)} that a host has for its whole deploy"
        )


def _hosts(service: Service, spot: Spot) -> None:
    """A canary of more than its share is told of by the rules, CAN-01 and CAN-05, and not here again."""
    hosts, rules = service.production, service.rules
    canaries = canary_size(len(hosts), rules.canary.share)
    at = spot / "hosts"
    if len(hosts) <= 1:
        return
    if canaries == 1 and len(hosts) * MOST >= 1 - 1e-9:
        more = canary_size(len(hosts), MOST)
        way = f': canary.share = "{MOST:.0%}" makes it {more}' if more > 1 else ""
        at.warn(f"a canary is one host of {len(hosts)}, and a sick machine and a bad release look alike{way}")
    if rules.judge.control is Control.BASELINE:
        crowded = _crowded(hosts, canaries, rules.canary.stratify)
        if crowded:
            (spot / "judge" / "control").warn(
                f"canary and baseline may take every production host of {some(crowded, 4)}, so that the baseline "
                'stays smaller than the canary: "production" needs no hosts of its own'
            )


def _crowded(hosts: Sequence[Host], canaries: int, stratify: Sequence[str]) -> list[str]:
    """Datacenters where a draw can take so many canaries that as many baseline hosts leave none beside them."""
    even = "datacenter" in stratify
    return [
        name
        for name, there in Counter(host.datacenter for host in hosts).items()
        if 2 * (math.ceil(there * canaries / len(hosts) - 1e-9) if even else min(canaries, there)) >= there
    ]


def _warmup(rules: Rules, saying: Sequence[tuple[Spot, Values]]) -> None:
    cold_s, cycle_s = rules.judge.cold_s, rules.cycle.duration_s
    if cold_s < cycle_s:
        return
    for spot, values in saying:
        for part, field, key in COLD:
            if field in values.get(part, {}):
                (spot / part / key).warn(
                    f"hosts are cold for {written(cold_s)} (judge.warmup) and a cycle is over in {written(cycle_s)} "
                    "(cycle.duration): nothing is ever judged warm"
                )
                return


def _idle(rules: Rules, saying: Sequence[tuple[Spot, Values]]) -> None:
    """What is said and does nothing, or leaves nothing to do."""
    per_day, gap_s = rules.frequency.per_day, rules.frequency.min_gap_s
    most = math.ceil(DAY_S / gap_s) if gap_s else math.inf
    told: list[tuple[str, tuple[str, ...], str]] = []
    if per_day is not None and per_day > most:
        why = f"{per_day} releases a day are never reached: with frequency.min_gap, {most} at most fit into one"
        told.append(("frequency", ("per_day", "min_gap"), why))
    if rules.coverage.silent_s < 2 * rules.budget.slice_s:
        read = written(2.0 * rules.budget.slice_s)
        why = f"is read as {read}: a slice ({written(float(rules.budget.slice_s))}) is known once it has ended"
        told.append(("coverage", ("silent",), why))
    if rules.coverage.least == 0:
        told.append(("coverage", ("least",), "is 0: however little is known of a day, it is enough"))
    if not rules.staging.methods:
        told.append(("staging", ("methods",), "names none: a replay against a partial staging sends nothing"))
    if rules.staging.rate_share == 0:
        told.append(("staging", ("rate_share",), "is 0: a replay against a partial staging sends nothing"))
    for part, keys, why in told:
        lines = (spot / part / key for spot, _ in saying for key in keys)
        at = next((each for each in lines if each.path in each.problems.lines), None)
        if at is not None:
            at.warn(why)


def _metrics(rules: Rules, saying: Sequence[tuple[Spot, Values]]) -> None:
    judged = [metric for metric in rules.judge.metrics if metric.judged]
    if any(metric.critical for metric in judged) or not judged:
        return
    for spot, values in saying:
        if "metrics" in values:
            (spot / "metrics").warn("no judged metric is critical: nothing can fail a canary alone")
            return
