"""The error budget: nothing new goes out while an objective's is spent, or burns so fast that someone must look."""

from datetime import datetime

from pipeline.docket import Attestation
from pipeline.gates import Answer, Gate
from pipeline.model import Service
from pipeline.policy.wording import at, count, overspent, span, whole_percent
from pipeline.premises import Premises
from pipeline.slo.report import Alarm, BudgetReport, BurnPair, SloReport, WindowReport
from pipeline.slo.rules import Count, Kind

NAME = "budget"
LOW = 0.25
"""Of the rolling budget: with less left it says so."""
MOSTLY = 0.9
"""Of the time that a burn is told of: where less is known, that is told too."""
CANARY_SPEND = 0.10
"""Of what is left: a canary that is wholly broken until it is back should not cost more."""


def error_budget(service: Service, premises: Premises, now: datetime) -> Gate:
    """Holds where any objective's rolling budget is spent, or a page alarm fires; unknown is no pass."""
    report, vouched = premises.budget, vouched_for(premises, now)
    if report is None or not report.slos or (not measured(report) and vouched is None):
        return unmeasured(NAME, service, premises, now)
    for found in (*_spent(service, report), *_burning(service, report), *_unknown(service, report, vouched)):
        return found
    warns = (*_low(report), *_canary(service, report))
    said = "; ".join(f"{_named(slo)}: {_left(slo.rolling)}" for slo in report.slos)
    return Gate(NAME, Answer.PASS, said, warns="; ".join(warns))


def measured(report: BudgetReport) -> bool:
    """Whether any slice was ever known."""
    return any(slo.silent_s is not None for slo in report.slos)


def unmeasured(name: str, service: Service, premises: Premises, now: datetime) -> Gate:
    """What is said before there is any budget."""
    since, slice_s = premises.measured, service.rules.budget.slice_s
    if since is None:
        return Gate(name, Answer.UNKNOWN, "not measured yet", lifts="by itself, once metrics are read")
    # A slice that was seen for less than half of its time does not count: the one after it does.
    since = since.replace(microsecond=0)
    begun = since.timestamp()
    missed_s = begun % slice_s
    known = begun - missed_s + (slice_s if 2 * missed_s <= slice_s else 2 * slice_s)
    left_s = known - now.timestamp()
    said = f"measured since {since:%H:%M:%S} UTC"
    if left_s > 0:
        until = datetime.fromtimestamp(known, since.tzinfo)
        why = f"{said}: known in {span(left_s + 0.999)}"
        return Gate(name, Answer.UNKNOWN, why, since=since, until=until, lifts="by itself, once a slice is whole")
    lifts = f"by itself, once a slice of {slice_s} s is known: see pithead status {service.name} for its metrics"
    return Gate(name, Answer.UNKNOWN, f"{said}, and nothing is known yet", since=since, lifts=lifts)


def vouched_for(premises: Premises, now: datetime) -> Attestation | None:
    """A person's word that what is not measured is well."""
    word = premises.docket.attestation("coverage")
    return word if word is not None and word.holds(now) else None


def _spent(service: Service, report: BudgetReport) -> list[Gate]:
    return [
        Gate(
            NAME,
            Answer.HOLD,
            f"{_named(slo)}: {_left(slo.rolling)}; {_bad(slo, report)}",
            slo.spent_since,
            slo.back_at,
            f"{_back(slo)}; or an approved correction (pithead correct){overspent(service)}",
        )
        for slo in report.slos
        if slo.rolling.left is not None and slo.rolling.left <= 0
    ]


def _back(slo: SloReport) -> str:
    """When, as far as it can be known: nobody knows what will be bad, or how many requests will come."""
    if slo.back_at is None:
        return "by itself, as what was bad leaves the window, nobody knows when"
    about = " and as many requests come" if slo.count is Count.REQUESTS else ""
    return f"by itself, at {at(slo.back_at)} if nothing more is bad{about}"


def _burning(service: Service, report: BudgetReport) -> list[Gate]:
    look = f"someone must look: pithead explain {service.name}{overspent(service)}"
    return [
        Gate(
            NAME,
            Answer.HOLD,
            f"burn: {_named(slo)}: {_burns(pair)}; {_left(slo.rolling)}{_gone(slo)}",
            lifts=f"by itself, once it burns slower, about {span(pair.short_s)} after the last bad request; {look}",
        )
        for slo in report.slos
        for pair in slo.burn
        if pair.fires and pair.alarm is Alarm.PAGE
    ]


def _unknown(service: Service, report: BudgetReport, vouched: Attestation | None) -> list[Gate]:
    lifts = f"by itself, once more is known; or a person: pithead attest {service.name} coverage --reason ..."
    return [
        Gate(NAME, Answer.UNKNOWN, f"{_named(slo)}: {slo.rolling.why or 'nothing is known'}", lifts=lifts)
        for slo in report.slos
        if slo.rolling.left is None and not _quiet(slo.rolling) and vouched is None
    ]


def _quiet(window: WindowReport) -> bool:
    """Known, with too few requests for a budget, and none of them bad."""
    return window.good_s + window.idle_s + window.bad_s > 0 and not window.bad and not window.bad_s


def _low(report: BudgetReport) -> list[str]:
    low = [slo for slo in report.slos if slo.rolling.left is not None and slo.rolling.left < LOW]
    said = [f"{_named(slo)}: {_left(slo.rolling)}: releases are held once it is spent" for slo in low]
    tickets = ((slo, pair) for slo in report.slos for pair in slo.burn if pair.fires and pair.alarm is Alarm.TICKET)
    return said + [f"{_named(slo)}: {_burns(pair)}{_gone(slo)}" for slo, pair in tickets]


def _canary(service: Service, report: BudgetReport) -> list[str]:
    """What a canary would cost at worst: wholly broken from its first request until its last host is back."""
    rules, hosts = service.rules, max(len(service.production), 1)
    share = max(rules.canary.share, 1 / hosts)
    worst_s = share * (rules.judge.stale_s + rules.deploy.deadline_s)
    windows = [slo.rolling for slo in report.slos if slo.kind is Kind.AVAILABILITY]
    left = [window.left_s for window in windows if window.left_s is not None]
    if not left or worst_s <= CANARY_SPEND * min(left):
        return []
    return [f"a wholly broken canary would spend {span(worst_s)} of {span(min(left))} left, more than a tenth"]


def _named(slo: SloReport) -> str:
    return f"{slo.name} {slo.rolling.label.removeprefix('rolling ')}"


def _left(window: WindowReport) -> str:
    if window.left is None:
        return window.why or "nothing is known"
    time = f", {span(window.left_s)}" if window.left_s is not None else ""
    return f"{whole_percent(window.left)} left{time}"


def _bad(slo: SloReport, report: BudgetReport) -> str:
    window = slo.rolling
    if slo.kind is Kind.LATENCY:
        return f"{window.bad:,} of {window.total:,} requests too slow"
    outages = [one for one in report.outages if not one.excluded and one.end > window.start]
    if window.bad_s and outages:
        return f"{span(window.bad_s)} down in {count(len(outages), 'outage')}"
    bad, of, what = slo.bad_of(window)
    return f"{bad:,} of {of:,} {what} bad"


def _burns(pair: BurnPair) -> str:
    long, short = (f"{burn:.1f}" if burn is not None else "-" for burn in (pair.long, pair.short))
    over, then = span(pair.long_s), f", {short} over {span(pair.short_s)}"
    if pair.known_s is not None and pair.known_s < MOSTLY * pair.long_s:
        over = f"the {span(pair.known_s)} that are known of {over}"
        then = "" if pair.known_s < MOSTLY * pair.short_s else then
    return f"burns {long} times too fast over {over}{then}"


def _gone(slo: SloReport) -> str:
    return f", gone in {span(slo.gone_in_s)}" if slo.gone_in_s is not None else ""
