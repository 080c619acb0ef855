"""Scale, performance and catastrophes: how much it can take, and who has tried."""

from datetime import timedelta

from pipeline.docket import LoadTest
from pipeline.readiness.facts import Found, Subject, fails, passes, unknown
from pipeline.readiness.past import MONTH
from pipeline.readiness.use import Resource
from pipeline.slo.rules import Kind

ABOVE_PEAK = 1.5
"""A load test must reach so many times the peak."""
LEAST_USE, MOST_USE = 0.1, 0.8
LEAST_SEEN = 0.8
"""Of the last 30 days: what is known of fewer is not judged."""


def growth(of: Subject) -> Found:
    """SCA-1."""
    stated = of.service.rules.readiness
    if not stated.growth or stated.host_rps is None:
        return fails("not stated: growth (what its load grows with) and host_rps (what one host can take)")
    return passes(f"{stated.growth}; {stated.host_rps:g} requests a second and host")


def headroom(of: Subject) -> Found:
    """SCA-2: the peak against what the newest load test has reached."""
    share, peak = of.service.rules.readiness.peak_share, of.facts.peak_rps
    if peak is None:
        return unknown("no hour of traffic is known yet")
    told = f"peak {peak:.1f}/s of the last {MONTH.days} days"
    if failed := _failed(of):
        return fails(f"{told}; {failed}")
    test = _newest(of)
    if test is None or test.peak_rps is None:
        return unknown(f"{told}; no passed load test says what it can take")
    used = peak / test.peak_rps if test.peak_rps > 0 else float("inf")
    said = f"{told} is {used:.0%} of {test.peak_rps:.1f}/s tested"
    if used > share:
        return fails(f"{said}, limit {share:.0%}")
    return passes(said) if _long_enough(of.facts.peak_days) else unknown(f"{said}; {_days(of.facts.peak_days)}")


def latency(of: Subject) -> Found:
    """PRF-1."""
    slos = [slo for slo in of.service.rules.slos if slo.kind is Kind.LATENCY]
    if not slos:
        return fails("no latency objective is set: [service.NAME.slos.latency]")
    report = of.facts.budget
    known = {slo.name: slo for slo in report.slos} if report is not None else {}
    for slo in slos:
        if slo.name not in known or known[slo.name].rolling.total == 0:
            return unknown(f"{slo.name}: no request of histogram {slo.of} is counted yet")
    return passes(f"{', '.join(f'{slo.name}: {100 * slo.target:f}'.rstrip('0').rstrip('.') + ' %' for slo in slos)}")


def limits(of: Subject) -> Found:
    """PRF-2: limits are stated, and what is used of them is neither nothing nor nearly all."""
    stated, facts = of.service.rules.readiness, of.facts
    uses = ((Resource.CPU, facts.cpu, stated.cpu_limit), (Resource.MEMORY, facts.memory, stated.memory_limit_bytes))
    missing = [str(name) for name, _, limit in uses if limit is None]
    if missing:
        return fails(f"no limit is stated for {' and '.join(missing)}")
    told = []
    for name, used, limit in uses:
        if used is None or limit is None:
            return unknown(f"no signal has told the {name} of a host yet")
        share = used.p95 / limit
        told.append(f"{name} {share:.0%}")
        if not _long_enough(used.days):
            return unknown(f"{name} p95 {share:.0%} of its limit so far; {_days(used.days)}")
        if not LEAST_USE <= share <= MOST_USE:
            wanted = f"expected {LEAST_USE:.0%} to {MOST_USE:.0%}"
            return fails(f"{name} p95 of {MONTH.days} days is {share:.0%} of its limit, {wanted}")
    return passes(f"p95 of {MONTH.days} days: {' and '.join(told)} of the limits")


def load_tested(of: Subject) -> Found:
    """CAT-1."""
    days = of.service.rules.readiness.load_test_days
    if failed := _failed(of):
        return fails(failed)
    test = _newest(of)
    if test is None:
        return unknown(f"no load test has passed in the last {days} days")
    if of.facts.peak_rps is None or test.peak_rps is None:
        return unknown(f"{test.revision} passed on {test.at:%Y-%m-%d}; its rate, or the peak, is not known")
    times = test.peak_rps / of.facts.peak_rps if of.facts.peak_rps > 0 else float("inf")
    said = f"{test.revision} took {test.peak_rps:.1f}/s on {test.at:%Y-%m-%d}, {times:.1f} times the peak"
    if times < ABOVE_PEAK:
        return fails(f"{said}; {ABOVE_PEAK} times are needed")
    return passes(said) if _long_enough(of.facts.peak_days) else unknown(f"{said}; {_days(of.facts.peak_days)}")


def _newest(of: Subject) -> LoadTest | None:
    """The newest that passed and has not grown too old."""
    oldest = of.now - timedelta(days=of.service.rules.readiness.load_test_days)
    return next((test for test in reversed(of.load_tests) if test.passed and test.at >= oldest), None)


def _failed(of: Subject) -> str:
    """How the newest load test failed, if it did: what an older one had reached is not proven any more."""
    newest = of.load_tests[-1] if of.load_tests else None
    if newest is None or newest.passed:
        return ""
    return f"the load test of {newest.revision} on {newest.at:%Y-%m-%d} failed: {newest.detail}"


def _long_enough(days: float) -> bool:
    return days >= LEAST_SEEN * MONTH.days


def _days(days: float) -> str:
    return f"{int(days)} of {MONTH.days} days seen, {LEAST_SEEN * MONTH.days:.0f} are needed"
