"""A service's availability budget on one line, out of its report."""

from pipeline.model import BudgetRules
from pipeline.slo.burn import alarm
from pipeline.slo.quota import show_target
from pipeline.slo.report import BudgetReport
from pipeline.slo.window import span
from pipeline.view import Budget


def budget(rules: BudgetRules, report: BudgetReport | None) -> Budget:
    """All of it is unknown until there is a report."""
    window, target = span(rules.window_s), show_target(rules.objective)
    if report is None:
        return Budget(None, window, target=target)
    of = report.slos[0]
    bad, total, _ = of.bad_of(of.rolling)
    firing = alarm(pair for slo in report.slos for pair in slo.burn)
    return Budget(
        left=of.rolling.left,
        window=window,
        target=target,
        left_s=of.rolling.left_s,
        burn_1h=of.burn_1h,
        burn_6h=of.burn_6h,
        gone_in_s=of.gone_in_s,
        coverage=of.coverage,
        alarm="" if firing is None else firing.value,
        count=of.count.value,
        month_used_s=None if report.payback is None else report.payback.used_s,
        month_quota_s=None if report.payback is None else report.payback.quota_s,
        last_outage=report.outages[0].start if report.outages else None,
        bad=bad,
        total=total,
        trend=tuple(None if point is None else round(point, 2) for point in of.trend),
    )
