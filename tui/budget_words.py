"""Budgets in words: time left, what is used, whether a release may begin, dates. Pure.

The first number of a budget is time, coloured by whether a deploy is allowed; what is not known is grey, never green.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import floor, isfinite

from rich.style import Style

from pipeline.policy.break_glass import WAITING
from pipeline.policy.security_fix import BLOCKED_BY
from pipeline.slo.report import Debt
from pipeline.view import Budget, Deploy
from tui.budget_order import gate_of, is_spent, known
from tui.theme import Palette
from tui.words import UNKNOWN, span

FAR_DAYS = 100
"""From so far away on, a date of another year says which."""
ALLOWED: Mapping[Deploy, str] = {
    Deploy.OK: "a new release, and a rollback",
    Deploy.WARN: "a new release, and a rollback; look at the warning first",
    Deploy.HOLD: "a rollback",
    Deploy.BLOCKED: "a rollback",
    Deploy.UNKNOWN: "a rollback; more once somebody vouches for what cannot be seen (pithead attest)",
}

FIX = "; approved security fix"
GLASS = "; break-glass in a severe incident"


def allowed(budget: Budget) -> str:
    """What may be done; a security fix and break-glass only where the gate that is named is one that they open."""
    if budget.deploy not in (Deploy.HOLD, Deploy.BLOCKED):
        return ALLOWED[budget.deploy]
    gate = gate_of(budget)
    fix, glass = FIX if gate in BLOCKED_BY else "", GLASS if gate in WAITING else ""
    return f"{ALLOWED[budget.deploy]}{fix}{glass}"


def time_left(seconds: float | None) -> str:
    """At most 7 characters: "-7m42s", "31m10s", "6h00m", "12d04h"; never more than there is. None is "?"."""
    if seconds is None or not isfinite(seconds):
        return UNKNOWN
    sign = "-" if seconds < 0 else ""
    size = abs(floor(seconds))
    if size < 3_600:
        return f"{sign}{size // 60}m{size % 60:02}s"
    unit = 60 if size < 100 * 3_600 else 3_600
    # an overdraft is cut to the greater one, as what is left is to the smaller one
    size = -(-size // unit) if sign else size // unit
    big, small = divmod(size, 60 if unit == 60 else 24)
    return f"{sign}{big}h{small:02}m" if unit == 60 else f"{sign}{big}d{small:02}h"


def lasted(seconds: float) -> str:
    """Of downtime: "12m00s"."""
    return time_left(max(seconds, 0.0))


def gone_in(budget: Budget) -> str:
    """As in "spent", "6h00m"; "-" while it is not being spent."""
    if is_spent(budget):
        return "spent"
    return "-" if budget.gone_in_s is None else time_left(budget.gone_in_s)


def used_pct(left: float | None) -> str:
    """Of a budget with `left`, in at most 5 characters: "88%" where 12 % are left, ">99x" of it once used so often."""
    if left is None or not isfinite(left):
        return UNKNOWN
    return f"{100 - floor(round(left * 100, 9))}%" if abs(left) < 98 else ">99x" if left < 0 else "0%"


def times(burn: float | None) -> str:
    """A burn rate in at most 4 characters; "-" without traffic."""
    if burn is None or not isfinite(burn):
        return "-"
    return f"{burn:.1f}" if burn < 99.95 else f"{min(burn, 9_999):.0f}"


def stretch(seconds: float) -> str:
    """Of a window, in the largest unit that divides it: "1h", "5m", "3d"."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"


def tone(budget: Budget, palette: Palette) -> Style:
    """By whether a deploy is allowed; grey where too little is known."""
    return deploy_tone(budget.deploy, palette) if known(budget) else palette.dim


def deploy_tone(deploy: Deploy, palette: Palette) -> Style:
    return {
        Deploy.OK: palette.good,
        Deploy.WARN: palette.warn,
        Deploy.HOLD: palette.warn,
        Deploy.BLOCKED: palette.block,
        Deploy.UNKNOWN: palette.dim,
    }[deploy]


def may_deploy(budget: Budget, at: datetime) -> str:
    """As in "ok", "BLOCKED until 15 Apr 09:04Z (89d)"."""
    if budget.deploy_until is None:
        return budget.deploy.value
    return f"{budget.deploy.value} {until(budget.deploy_until, at)}"


def moment(when: datetime, at: datetime) -> str:
    """As in "14:26:31Z" within a day of `at`, else "15 Apr 09:04Z"."""
    far = abs((when - at).total_seconds()) >= 86_400
    return stamp(when, at) if far else f"{when.astimezone(UTC):%H:%M:%S}Z"


def until(when: datetime, at: datetime) -> str:
    """With what is left of it: "until 14:26:31Z (19m)", "until 15 Apr 09:04Z (89d)"."""
    seconds = (when - at).total_seconds()
    return f"until {moment(when, at)} ({span(seconds) if seconds > 0 else 'over'})"


def stamp(when: datetime, at: datetime) -> str:
    """As in "15 Jan 09:04Z", with another year where it is far from `at`."""
    there = when.astimezone(UTC)
    year = f" {there.year}" if there.year != at.year and abs((when - at).days) >= FAR_DAYS else ""
    return f"{there.day} {there:%b}{year} {there:%H:%M}Z"


def sum_of(debt: Debt, at: datetime) -> str:
    """As in "from 15 Jan 09:04Z: 720s/262.8s = 2.74 -> 3 months, until 15 Apr 09:04Z"."""
    ratio = debt.downtime_s / debt.quota_s if debt.quota_s > 0 else 0.0
    months = f"{debt.months} month{'' if debt.months == 1 else 's'}{', the most there is' if debt.capped else ''}"
    return (
        f"from {stamp(debt.breach, at)}: {short(debt.downtime_s)}s/{short(debt.quota_s)}s = {ratio:.2f} -> {months}, "
        f"until {stamp(debt.until, at)}"
    )


def short(number: float) -> str:
    """With one decimal, where there is one."""
    return f"{number:.1f}".removesuffix(".0")
