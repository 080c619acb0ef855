"""A service's availability budget on one line, out of its report."""

from pipeline.model import BudgetRules
from pipeline.slo.burn import alarm
from pipeline.slo.quota import error_ratio, show_target
from pipeline.slo.report import BudgetReport
from pipeline.slo.rules import Count
from pipeline.slo.window import span
from pipeline.view import Budget


def budget(rules: BudgetRules, report: BudgetReport | None, errors: float | None) -> Budget:
    """`errors` is the ratio of the last moments, for the burn rate; all else is unknown until there is a report."""
    burn = None if errors is None else errors / float(error_ratio(rules.objective))
    window, target = span(rules.window_s), show_target(rules.objective)
    if report is None:
        return Budget(None, window, burn, target)
    of = report.slos[0]
    if of.count is Count.SLICES:
        # A moment's errors spend nothing until they make a slice bad.
        burn = of.burn_1h
    firing = alarm(pair for slo in report.slos for pair in slo.burn)
    return Budget(
        left=of.rolling.left,
        window=window,
        burn=burn,
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
    )
