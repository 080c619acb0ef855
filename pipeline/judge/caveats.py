"""What cannot be known from a canary, said beside its verdict."""

from pipeline.judge.evidence import Evidence
from pipeline.judge.plan import Plan
from pipeline.model import MetricKind

FEW_CONTROLS = 8
FEW_EVENTS_AN_HOUR = 10.0
SETTLED_LOOKS = 20
HOUR_S = 3_600.0


def caveats(evidence: Evidence) -> tuple[str, ...]:
    the = evidence.plan
    found = [*_hosts(the), *_traffic(evidence)]
    if not the.prior.metrics and not the.unpaired:
        found.append("no recorded history of these hosts: they are taken to be alike")
    return tuple(found)


def _hosts(the: Plan) -> list[str]:
    found = []
    if the.canaries == 1:
        found.append("one canary host: a sick machine and a bad release look alike")
    elif the.canaries == 2:
        found.append("two canary hosts: one sick machine can fail the release")
    controls = len(the.hosts) - the.canaries
    if the.unpaired:
        found.append(f"{the.few}: held against production before, only what is twice as bad is judged")
    elif controls < FEW_CONTROLS:
        found.append(f"{controls} control hosts: how hosts differ is hardly known")
    if the.merged and not the.unpaired:
        found.append("a canary has no production host beside it: compared over all datacenters")
    return found


def _traffic(evidence: Evidence) -> list[str]:
    """Where errors are so few that a doubling could not be seen."""
    the, lay, now = evidence.plan, evidence.layout, evidence.now
    if now.looks < SETTLED_LOOKS or now.elapsed_s <= 0:
        return []
    expected, events = (lay.read(now.sums, name).sum(axis=(0, 2)) for name in ("expected", "events"))
    found = []
    for at, metric in enumerate(the.counts):
        an_hour = float(expected[at]) * HOUR_S / now.elapsed_s
        if metric.rule.kind is MetricKind.RATIO and an_hour < FEW_EVENTS_AN_HOUR:
            normal = _normal(an_hour, seen=float(events[at]) > 0)
            found.append(f"{metric.rule.title}: {normal}: a mild regression goes unseen")
    return found


def _normal(an_hour: float, *, seen: bool) -> str:
    """How many of production's rate are usual; `seen`: the canary had some."""
    if round(an_hour, 1) > 0:
        return f"{an_hour:.1f} an hour are normal"
    return "next to none are normal" if seen else "none seen so far"
