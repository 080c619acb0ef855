"""Downtime payback: who was down for longer than a month's quota pays back with months without releases."""

from datetime import datetime

from pipeline.gates import Answer, Gate
from pipeline.model import Service
from pipeline.policy.error_budget import measured, unmeasured
from pipeline.policy.wording import at, count, overspent, span, times
from pipeline.premises import Premises
from pipeline.slo.report import BudgetReport, Debt, PaybackReport
from pipeline.words import duration

NAME = "payback"
DAY_S = 86_400.0
NEAR = 0.75
"""Of the quota: from here on it says so."""


def payback(service: Service, premises: Premises, now: datetime) -> Gate:
    """Holds while a block is in force, or the service is down at its end."""
    if not service.rules.payback.on:
        return Gate(NAME, Answer.PASS, "switched off")
    report = premises.budget
    if report is None:
        return unmeasured(NAME, service, premises, now)
    its = report.payback
    if its is None:
        return Gate(NAME, Answer.UNKNOWN, "not worked out yet", lifts="by itself, with the next slice")
    block = its.block
    if its.held_open and (block is not None or its.debts):
        return _held_open(block or its.debts[-1])
    if block is not None:
        return _blocked(service, block, report)
    if not measured(report):
        return unmeasured(NAME, service, premises, now)
    used = f"{_s(its.used_s)} of {_s(its.quota_s)} of downtime used since {at(its.since)}"
    near = its.used_s >= NEAR * its.quota_s
    return Gate(NAME, Answer.PASS, f"no block; {used}", warns=_near(its) if near else "")


def _blocked(service: Service, block: Debt, report: BudgetReport) -> Gate:
    months = f"{count(block.months, 'month')}{', the longest block' if block.capped else ''}"
    why = (
        f"{_s(block.downtime_s)} of {_s(block.quota_s)} = {times(block.downtime_s, block.quota_s)} -> {months}: "
        f"{span(block.downtime_s)} down since {at(_began(block, report))}; until {at(block.until)}"
    )
    lifts = f"by itself on that day, or an approved correction (pithead correct){overspent(service)}"
    return Gate(NAME, Answer.HOLD, why, since=block.breach, until=block.until, lifts=lifts)


def _held_open(block: Debt) -> Gate:
    down = f"{_s(block.downtime_s)} down in all"
    why = f"its time was over at {at(block.until)}, and the service is down just now; {down}"
    return Gate(NAME, Answer.HOLD, why, since=block.breach, lifts="by itself, when the service is up again")


def _near(its: PaybackReport) -> str:
    left = max(its.quota_s - its.used_s, 0.0)
    return f"{span(left)} more of downtime, and months of releases are blocked"


def _began(block: Debt, report: BudgetReport) -> datetime:
    """The first outage of the debt; where it is no longer at hand, the breach."""
    charged = [one for one in report.outages if not one.excluded and one.start <= block.breach]
    return min((max(one.start, block.since) for one in charged if one.end > block.since), default=block.breach)


def _s(seconds: float) -> str:
    """As exact as it is counted: "720 s", "262.8 s"; what takes days is told in days."""
    return f"{round(seconds, 3):g} s" if seconds < DAY_S else duration(seconds)
