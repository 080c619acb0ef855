"""PAR: a partial staging talks to production, under protection."""

from collections.abc import Collection, Iterator, Mapping

from adapters.config.endpoints import endpoint
from adapters.config.policy.case import Case, Found, Rule
from adapters.config.policy.limits import never_acting
from pipeline.model import MetricKind
from pipeline.staging import Access, Level, StagingMode
from pipeline.words import some

SAFE = ("GET", "HEAD", "OPTIONS")
MOST_RATE = 0.01
"""Of the traffic that production's dependencies have."""
NEEDED: Mapping[str, Collection[MetricKind]] = {
    "an error ratio": (MetricKind.RATIO,),
    "latency": (MetricKind.QUANTILE, MetricKind.SHARE),
    "saturation (a gauge)": (MetricKind.GAUGE, MetricKind.EXPRESSION),
}
"""What a limit must stand on, with the kinds of metrics that say it."""


def own_ports(case: Case) -> Iterator[Found]:
    if not case.in_mode(StagingMode.PARTIAL):
        return
    its = case.service.rules.staging
    for key, ports, whose in (
        ("ports", its.ports, "staging"),
        ("production_ports", its.production_ports, "production"),
    ):
        if not ports:
            yield Found(f"the ports of {whose} are not stated", f"say {key}", case.at("staging", key))
    if shared := sorted(set(its.ports) & set(its.production_ports)):
        yield Found(
            f"staging has ports of production: {some([str(each) for each in shared], 4)}",
            "give staging ports of its own, at the front and behind",
            case.at("staging", "ports"),
        )
    for host in case.service.staging:
        port = endpoint(host.address).port
        if port in its.production_ports:
            yield Found(
                f"staging host {host.name} answers at port {port}, which is production's",
                "give staging ports of its own, at the front and behind",
                case.key("hosts"),
            )
            break


def safe_methods(case: Case) -> Iterator[Found]:
    if not case.in_mode(StagingMode.PARTIAL):
        return
    unsafe = [method for method in case.service.rules.staging.methods if method not in SAFE]
    if unsafe:
        yield Found(
            f"staging may send {some(unsafe, 4)} to production's dependencies, which can change them",
            f"leave {some(list(SAFE), 3)}",
            case.at("staging", "methods"),
        )


def no_writes(case: Case) -> Iterator[Found]:
    if not case.in_mode(StagingMode.PARTIAL):
        return
    if not case.service.rules.staging.dependencies:
        yield Found(
            "which of production's dependencies staging calls is not stated, and so not what it may do there",
            'say [service.NAME.staging.dependencies.X] of each, or mode = "full" where there is none',
            case.at("staging", "dependencies"),
            Level.WARNING,
        )
    for its in case.service.rules.staging.dependencies:
        if its.access is Access.WRITE:
            yield Found(
                f"staging may write to production's {its.name}",
                'say access = "read", or "test-tenant" where every write carries one',
                case.dependency(its, "access"),
            )
        elif its.store and not case.states_access(its):
            yield Found(
                f"what staging may do with production's data store {its.name} is not stated",
                'say access = "none", "read" or "test-tenant"',
                case.dependency(its),
            )


def no_effects(case: Case) -> Iterator[Found]:
    if not case.in_mode(StagingMode.PARTIAL):
        return
    its = case.service.rules.staging
    for each in its.dependencies:
        if each.consumes:
            yield Found(
                f"staging takes messages from production's {each.name}: production never sees them",
                "give staging a queue of its own",
                case.dependency(each, "consumes"),
            )
    if not its.sink:
        yield Found(
            "where mail, payments and other effects of staging go is not stated",
            "say sink: a place that swallows them",
            case.at("staging", "sink"),
        )


def limits_present(case: Case) -> Iterator[Found]:
    if not case.in_mode(StagingMode.PARTIAL):
        return
    kinds = {metric.key: metric.kind for metric in case.service.rules.judge.metrics}
    limited = {kinds.get(limit.metric) for limit in case.service.rules.staging.limits}
    lacking = [what for what, of in NEEDED.items() if limited.isdisjoint(of)]
    if lacking:
        yield Found(
            f"nothing takes a bad build back from staging by {some(lacking, 3)}",
            "say [service.NAME.staging.limits.METRIC] or [organisation.staging.limits.METRIC] with a limit",
            case.at("staging", "limits"),
        )


def marked(case: Case) -> Iterator[Found]:
    if case.in_mode(StagingMode.PARTIAL) and not case.service.rules.staging.header:
        yield Found(
            "production cannot tell requests of staging from its own",
            "say header: the name of one that every request of staging carries",
            case.at("staging", "header"),
        )


def capped(case: Case) -> Iterator[Found]:
    if not case.in_mode(StagingMode.PARTIAL):
        return
    share = case.service.rules.staging.rate_share
    if share is None or share > MOST_RATE:
        is_now = "is not stated" if share is None else f"is {share:.1%} of their traffic"
        yield Found(
            f"how much staging may ask of production's dependencies {is_now}",
            f'say rate_share = "{MOST_RATE:.0%}" or less',
            case.at("staging", "rate_share"),
        )


RULES = (
    Rule("PAR-01", Level.ERROR, "partial: staging has ports of its own", own_ports),
    Rule(
        "PAR-02",
        Level.ERROR,
        "partial: staging sends production's dependencies safe requests only",
        safe_methods,
        kept="a replay leaves out what is not among the methods (adapters.checks.replay); what a build sends of its "
        "own accord is the network's to keep",
    ),
    Rule("PAR-03", Level.ERROR, "partial: data stores are read only, or written for a test tenant", no_writes),
    Rule("PAR-04", Level.ERROR, "partial: no message is consumed, no mail, payment or other effect leaves", no_effects),
    Rule(
        "PAR-05",
        Level.ERROR,
        "partial: a bad build is taken back by error ratio, latency and saturation",
        lambda case: (*limits_present(case), *never_acting(case)),
    ),
    Rule(
        "PAR-06",
        Level.ERROR,
        "partial: requests of staging are marked, and recordings are scrubbed of secrets",
        marked,
        kept="recordings with credentials are refused and scrubbed (adapters.checks.replay)",
    ),
    Rule(
        "PAR-07",
        Level.WARNING,
        "partial: calls to production's dependencies are capped",
        capped,
        kept="a replay keeps to it (adapters.checks.replay)",
    ),
)
