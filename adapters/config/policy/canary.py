"""CAN: the canary's hosts, what it is held against, and for how long."""

from collections.abc import Iterator

from adapters.config.durations import written
from adapters.config.policy.case import Case, Found, Rule
from pipeline.model import TrafficCycle
from pipeline.placement import LEAST, MOST, canary_size
from pipeline.staging import Level
from pipeline.words import some

DAY_S = 86_400.0
LEAST_PEAK = 0.5
"""Of the busiest rate: less of it comes at any hour."""
DEMO_MACHINES = "127."
FEW_HOSTS = 8
"""With fewer to hold a canary against, how much hosts differ is a guess."""


def pool_size(case: Case) -> Iterator[Found]:
    hosts = len(case.service.production)
    if not hosts:
        return
    canaries = canary_size(hosts, case.service.rules.canary.share)
    if hosts < 2 * canaries:
        return  # CAN-05 tells of it.
    if canaries > hosts * MOST + 1e-9 or canaries < hosts * LEAST - 1e-9:
        yield Found(
            f"the canary is {canaries} of {hosts} production hosts, {canaries / hosts:.0%} of them: "
            f"expected {LEAST:.0%} to {MOST:.0%}{_few(hosts, canaries)}",
            "have ten production hosts or more, or live with a canary that many users meet",
            case.key("hosts"),
            Level.WARNING if hosts < 1 / MOST else Level.ERROR,
        )


def _few(hosts: int, canaries: int) -> str:
    """What is uncertain about few, in the same breath."""
    alike = "; a sick machine and a bad release look alike" if canaries == 1 else ""
    left = hosts - canaries
    if left >= FEW_HOSTS:
        return alike
    left_are = "1 host is" if left == 1 else f"{left} hosts are"
    return f"{alike}; {left_are} left to hold it against, and how hosts differ is hardly known from so few"


def stratified(case: Case) -> Iterator[Found]:
    datacenters = sorted({host.datacenter for host in case.service.production})
    if len(datacenters) > 1 and "datacenter" not in case.service.rules.canary.stratify:
        yield Found(
            f"canaries are not drawn evenly from {some(datacenters, 4)}",
            'put "datacenter" into canary.stratify',
            case.at("canary", "stratify"),
        )


def can_be_told(case: Case) -> Iterator[Found]:
    judged = [metric for metric in case.service.rules.judge.metrics if metric.judged]
    if len(judged) < 2 and not any(metric.critical for metric in judged):
        yield Found(
            "nothing can roll a canary back: its one judged metric counts only together with another",
            "make a judged metric critical",
            case.at("metrics"),
        )
    hosts = len(case.service.production)
    if hosts and hosts < 2 * canary_size(hosts, case.service.rules.canary.share):
        yield Found(
            "no production host is left to hold the canary against",
            "have two production hosts or more",
            case.key("hosts"),
        )


def whole_cycle(case: Case) -> Iterator[Found]:
    """What lets a canary leave before it has served a whole cycle: an error, unless somebody says why."""
    cycle, day_s = case.service.rules.cycle, case.company.day_s
    if not all(host.address.startswith(DEMO_MACHINES) for host in case.service.hosts):
        # A short day is the demo's alone.
        day_s = DAY_S
    because = cycle.shorter_because
    for key, why, mend in _shorter(cycle, day_s):
        yield Found(
            why,
            f"it is said on purpose: {because}"
            if because
            else f"{mend}; or say why less is enough, in cycle.shorter_because",
            case.at("cycle", key),
            Level.WARNING if because else None,
        )


def _shorter(cycle: TrafficCycle, day_s: float) -> Iterator[tuple[str, str, str]]:
    """(key, why, mend) of what is less than a day with its peak."""
    if cycle.duration_s < day_s:
        day = written(day_s)
        why = f"a canary leaves after {written(cycle.duration_s)}, and a day of traffic is {day}"
        misses = "it may miss the night, the peak or what runs once a day"
        yield "duration", f"{why}: {misses}", f'say cycle.duration = "{day}" or more'
    if not cycle.requests:
        yield (
            "requests",
            "a canary may leave without having served a request",
            "say cycle.requests: so many that a fault which you mind fails dozens",
        )
    if cycle.peak_ratio < LEAST_PEAK:
        yield (
            "peak_ratio",
            f"a canary may leave without having met the peak: {cycle.peak_ratio:.0%} of the busiest rate will do",
            f"say cycle.peak_ratio = {LEAST_PEAK:g} or more (0.8 is the default)",
        )


RULES = (
    Rule("CAN-01", Level.ERROR, "the canary is 5 to 10 % of production's hosts, and never less than one", pool_size),
    Rule(
        "CAN-02",
        Level.ERROR,
        "every datacenter has its share of the canary, give or take a host",
        stratified,
        kept="drawn so, with the seed recorded (pipeline.placement)",
    ),
    Rule(
        "CAN-03",
        Level.ERROR,
        "canary hosts have production's ports, image, configuration and weight",
        kept="canaries are production hosts, drawn from them (pipeline.placement): only the revision differs",
    ),
    Rule(
        "CAN-04",
        Level.ERROR,
        "the canary takes its share of the real traffic",
        kept="a gate holds it against its share of the hosts while it bakes (pipeline.policy.canary_traffic)",
    ),
    Rule(
        "CAN-05",
        Level.ERROR,
        "what rolls a canary back, and the hosts it is held against, are defined",
        can_be_told,
        kept="no canary passes without a judged metric (adapters.config.build) or without data (pipeline.judge)",
    ),
    Rule(
        "CAN-06",
        Level.ERROR,
        "a canary serves a full traffic cycle, unless the glass is broken or somebody says why less is enough",
        whole_cycle,
        kept="the traffic cycle is a gate (pipeline.traffic_cycle)",
    ),
    Rule(
        "CAN-07",
        Level.WARNING,
        "no host is a canary twice in a row while others are free",
        kept="each draw spares the canaries of the release before (pipeline.placement)",
    ),
    Rule(
        "CAN-08",
        Level.ERROR,
        "no two releases of a service, or of it and a hard dependency, are in canary at once",
        kept="one release of a service at a time (pipeline.release.requests), and a gate for dependencies "
        "(pipeline.policy.canary_overlap); circles of them are errors (adapters.config.staging)",
    ),
)
