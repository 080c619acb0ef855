"""CAN: the canary's hosts, what it is held against, and for how long."""

from collections.abc import Iterator

from adapters.config.durations import written
from adapters.config.policy.case import Case, Found, Rule
from adapters.config.settings import DemoSettings
from pipeline.placement import LEAST, MOST, canary_size
from pipeline.staging import Level
from pipeline.words import some

DAY_S = 86_400.0
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
    demo = case.company.said.get("demo")
    day_s = DAY_S if demo is None else demo.get("day_s", DemoSettings().day_s)
    cycle_s = case.service.rules.cycle.duration_s
    if cycle_s < day_s:
        yield Found(
            f"a canary leaves after {written(cycle_s)}, and a day of traffic is {written(day_s)}: "
            "it may miss the night, the peak or what runs once a day",
            f'say cycle.duration = "{written(day_s)}" or more',
            case.at("cycle", "duration"),
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
        kept="requests and peak of the traffic cycle are counted on the canary itself (pipeline.traffic_cycle)",
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
        Level.WARNING,
        "a canary serves a full traffic cycle, unless the glass is broken",
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
