"""Monitoring: what is measured, and who is called."""

from pipeline.model import Pool
from pipeline.readiness.facts import Found, Subject, fails, passes, unknown

LEAST_COVERAGE = 0.99
LEAST_ONCALL = 2


def metrics(of: Subject) -> Found:
    """MON-1: every shown metric gives data in staging and production; canary hosts are production hosts."""
    if of.facts.lacking is None:
        return unknown("the metrics have not been read yet")
    if of.facts.lacking:
        pool, name = of.facts.lacking[0]
        more = f" ({len(of.facts.lacking) - 1} more)" if len(of.facts.lacking) > 1 else ""
        return fails(f"{name} gives no data in {pool}{more}")
    said = f"{len(of.service.rules.judge.metrics)} metrics give data in {' and '.join(Pool)}"
    return passes(said)


def objective(of: Subject) -> Found:
    """MON-4."""
    if not of.service.rules.payback.on:
        return fails("the downtime quota is switched off: payback.on")
    report, coverage = of.facts.budget, of.facts.coverage_7d
    if report is None or coverage is None:
        return unknown("nothing is known of its budget yet")
    said = f"{report.slos[0].target} %, coverage {coverage:.1%} of 7 days"
    return passes(said) if coverage >= LEAST_COVERAGE else fails(f"{said}; {LEAST_COVERAGE:.0%} are needed")


def oncall(of: Subject) -> Found:
    """MON-3."""
    people = of.service.rules.readiness.oncall
    if not people:
        return unknown("readiness.oncall names nobody")
    said = ", ".join(people)
    return passes(said) if len(people) >= LEAST_ONCALL else fails(f"only {said}: two are needed")
