"""One service's budget report, whole, as lines: objectives, burn, payback, outages, corrections."""

import math
from collections.abc import Iterator, Sequence

from pipeline.docket import Correction
from pipeline.gates import Answer
from pipeline.policy.error_budget import MOSTLY
from pipeline.policy.wording import count, lifted, span, times
from pipeline.slo.report import BudgetReport, BurnPair, Debt, Outage, PaybackReport, SloReport, WindowReport
from pipeline.view import GateReport
from pipeline.words import duration
from pithead import sheet
from pithead.budgets import burn
from pithead.spans import instant, left, per_cent


def page(report: BudgetReport, gate: GateReport, corrections: Sequence[Correction]) -> Iterator[str]:
    yield f"{gate.service} {gate.deploy.value}: {gate.why}"
    for each in gate.gates:
        if f"{each.name}: {each.why}" == gate.why:
            said = "; ".join(filter(None, (lifted(each), "" if each.answer is Answer.PASS else sheet.times(each))))
            yield from [f"  {each.name}: {said}"] if said else []
        elif each.answer is not Answer.PASS:
            yield f"  {sheet.gate_line(each)}"
    if not report.slos:
        yield "no objective is set"
    for slo in report.slos:
        yield from _slo(slo)
    yield from _payback(report.payback) if report.payback is not None else ["payback: switched off"]
    if report.outages:
        yield "outages, newest first"
        yield from (f"  {_outage(each)}" for each in report.outages)
    if corrections:
        yield "corrections"
        yield from (f"  {_correction(each)}" for each in corrections)


def _slo(slo: SloReport) -> Iterator[str]:
    yield f"{slo.name} {slo.target} %, counted in {slo.count}"
    for window in (slo.rolling, slo.month):
        yield from _window(slo, window)
    if slo.rolling.left is not None and slo.rolling.left <= 0:
        gone = f"spent since {instant(slo.spent_since)}" if slo.spent_since is not None else "spent"
    else:
        gone = f"gone in {'-' if slo.gone_in_s is None else left(slo.gone_in_s)}"
    yield f"  burn 1h {burn(slo.burn_1h)}, 6h {burn(slo.burn_6h)}; {gone}"
    newest = "no data yet" if slo.silent_s is None else f"newest data {duration(slo.silent_s)} old"
    coverage = "?" if slo.coverage is None else f"{math.floor(1000 * slo.coverage) / 10:g}%"
    yield f"  coverage of 24 h {coverage}; {newest}"
    yield from (f"  {_pair(pair)}" for pair in slo.burn)


def _window(slo: SloReport, of: WindowReport) -> Iterator[str]:
    why = f": {of.why}" if of.why else ""
    yield f"  {of.label}: {left(of.left_s)} left ({per_cent(of.left)}){why}"
    between = f" (between {of.worst} and {of.best})" if of.worst != of.best else ""
    achieved = f"achieved {of.achieved or '?'} %{between}"
    unknown = f"; not known: {span(of.unknown_s)} of this window" if of.unknown_s else ""
    bad, whole, what = slo.bad_of(of)
    yield f"    {achieved}; {bad:,} of {whole:,} {what} bad; down {span(of.bad_s)}{unknown}"


def _pair(pair: BurnPair) -> str:
    fires = "  FIRES" if pair.fires else ""
    some = pair.known_s is not None and pair.known_s < MOSTLY * pair.long_s
    known = f" ({duration(pair.known_s or 0)} of it known)" if some else ""
    spans = f"{duration(pair.long_s)}{known} and {duration(pair.short_s)}"
    return f"{pair.alarm:6} above {pair.factor:.4g} over {spans}: {burn(pair.long)} and {burn(pair.short)}{fires}"


def _payback(of: PaybackReport) -> Iterator[str]:
    yield f"payback: quota {_s(of.quota_s)} a month; {_s(of.used_s)} used since {instant(of.since)}"
    for debt in reversed(of.debts):
        yield f"  {'BLOCK' if debt == of.block else 'past block'} {_debt(debt)}"
    if of.held_open:
        yield "  its time is over, and the service is down: it ends when that does"


def _debt(debt: Debt) -> str:
    capped = ", the most that the rules allow" if debt.capped else ""
    share = f"{_s(debt.downtime_s)} of {_s(debt.quota_s)} = {times(debt.downtime_s, debt.quota_s)}"
    total = f"{share} -> {count(debt.months, 'month')}{capped}"
    return f"from {instant(debt.breach)}: {total}, until {instant(debt.until)}"


def _outage(of: Outage) -> str:
    notes = (
        "goes on" if of.open else "",
        f"not charged: {of.excluded}" if of.excluded else "",
        "read afterwards from the metrics server" if of.backfill else "",
    )
    return "; ".join(filter(None, (f"{of.start:%Y-%m-%d %H:%M:%S} UTC  {span(of.seconds)}", *notes)))


def _correction(of: Correction) -> str:
    """As in "fix-1 exclude 2025-01-14 09:00 UTC for 1h00m, by ana: provider (INC-77); approved by ben"."""
    state = f"approved by {of.approved_by}" if of.approved is not None else "counts once a second person approves"
    if of.revoked is not None:
        state = f"revoked {instant(of.revoked)}"
    return f"{of.id} {corrected(of)}; {state}"


def corrected(of: Correction) -> str:
    """As in "exclude 2025-01-14 09:00 UTC for 1h00m, by ana: provider (INC-77)"."""
    evidence = f" ({of.evidence})" if of.evidence else ""
    lasts = span((of.end - of.start).total_seconds())
    return f"{of.kind} {instant(of.start)} for {lasts}, by {of.by}: {of.reason}{evidence}"


def _s(of: float) -> str:
    """As "262.8 s"."""
    return f"{of:,.1f}".removesuffix(".0") + " s"
