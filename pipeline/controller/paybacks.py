"""What became of a payback, in words for the audit trail."""

from pipeline.slo.report import Debt, PaybackReport


def changed(old: PaybackReport | None, new: PaybackReport | None) -> str:
    """Nothing where both say the same of downtime and blocks."""
    if old is None or new is None or _told(old) == _told(new):
        return ""
    return f"it was {_words(old)}, it is {_words(new)}"


def would_change(old: PaybackReport | None, new: PaybackReport | None) -> str:
    """Before it is done: of blocks; "" where they stay as they are."""
    if old is None or new is None or old.block == new.block:
        return ""
    if new.block is None:
        return f"the block until {_day(old.block)} would end"
    months = f"{new.block.months} month{'s' if new.block.months != 1 else ''}"
    if old.block is None:
        return f"a block of {months} would begin, until {_day(new.block)}"
    if old.block.until == new.block.until:
        return ""
    return f"the block until {_day(old.block)} would be one of {months}, until {_day(new.block)}"


def _day(block: Debt | None) -> str:
    return f"{block.until:%Y-%m-%d %H:%M} UTC" if block is not None else "-"


def _told(report: PaybackReport) -> object:
    return report.used_s, report.quota_s, report.debts, report.held_open


def _words(report: PaybackReport) -> str:
    down = f"{report.used_s:g} s down of {report.quota_s:g} s"
    debt = report.block
    if debt is None:
        return f"{down}, no block"
    months = "1 month" if debt.months == 1 else f"{debt.months} months"
    return f"{down}, blocked for {months} until {debt.until:%Y-%m-%d %H:%M} UTC"
