"""Coverage: a budget of which too little is known opens no door, unless a person vouches for it."""

from datetime import datetime, timedelta

from pipeline.gates import Answer, Gate
from pipeline.model import Service
from pipeline.policy.error_budget import measured, unmeasured, vouched_for
from pipeline.policy.wording import at
from pipeline.premises import Premises
from pipeline.slo.report import SloReport
from pipeline.words import duration

NAME = "coverage"


def coverage(service: Service, premises: Premises, now: datetime) -> Gate:
    """Unknown where too little of the last 24 h is, or nothing lately; the worst objective speaks."""
    report, word = premises.budget, vouched_for(premises, now)
    if report is None or not report.slos or (not measured(report) and word is None):
        return unmeasured(NAME, service, premises, now)
    found = [_asked(service, slo, now) for slo in report.slos]
    closed = next((gate for gate in found if gate.answer is not Answer.PASS), None)
    if closed is None:
        return found[0]
    if word is None:
        return closed
    until = f" until {at(word.expires)}" if word.expires is not None else ""
    why = f"{closed.why}; {word.by} vouches for it{until}: {word.reason}"
    return Gate(NAME, Answer.PASS, why, since=word.at, warns="what is not known is taken on a person's word")


def _asked(service: Service, slo: SloReport, now: datetime) -> Gate:
    rules, name = service.rules.coverage, _of(slo)
    lifts = f"by itself, once enough is known; or a person: pithead attest {service.name} coverage --reason ..."
    if slo.coverage is None or slo.silent_s is None:
        return Gate(NAME, Answer.UNKNOWN, f"{name}nothing is known yet", lifts=lifts)
    known = f"{_percent(slo.coverage)} of the last 24 h known"
    # A slice is known once it has ended: two of them may always pass.
    limit_s = max(rules.silent_s, 2.0 * service.rules.budget.slice_s)
    if slo.silent_s > limit_s:
        why = f"{name}nothing known for {duration(slo.silent_s)} (limit {duration(limit_s)}); {known}"
        return Gate(NAME, Answer.UNKNOWN, why, since=now - timedelta(seconds=slo.silent_s), lifts=lifts)
    if slo.coverage < rules.least:
        return Gate(NAME, Answer.UNKNOWN, f"{name}{known}, {_percent(rules.least)} are needed", lifts=lifts)
    return Gate(NAME, Answer.PASS, f"{name}{known}")


def _of(slo: SloReport) -> str:
    return "" if slo.name == "availability" else f"{slo.name}: "


def _percent(ratio: float) -> str:
    """Truncated: 94.99 % is not 95 %."""
    return f"{int(round(1000 * ratio, 6)) / 10:g} %"
