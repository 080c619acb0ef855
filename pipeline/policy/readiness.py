"""Readiness: a business-critical service releases only with its whole list passed; for others it is advice."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pipeline.gates import Answer, Gate
from pipeline.model import Service
from pipeline.policy.wording import and_more, count
from pipeline.premises import Premises
from pipeline.readiness.catalogue import ITEMS
from pipeline.readiness.report import Row, RowState

NAME = "readiness"
SOON = timedelta(days=14)
NAMED = 2
"""Rows told in full; the others are counted."""


def readiness(service: Service, premises: Premises, now: datetime) -> Gate:
    report = premises.readiness
    if report is None:
        if service.business_critical:
            return Gate(NAME, Answer.UNKNOWN, "the list is not worked out yet", lifts="by itself, within a minute")
        return Gate(NAME, Answer.PASS, "advice only: the service is not business-critical")
    missing, of = report.missing, len(report.rows)
    soon = _soon(report.rows, now)
    if not missing:
        return Gate(NAME, Answer.PASS, f"{of} of {of} rows pass or are waived", warns=soon)
    said = f"{count(len(missing), 'row')} of {of} missing: {_named(missing)}"
    if report.binding or service.business_critical:
        first = missing[0]
        lifts = f"when every row passes or is waived: {first.lifts or f'pithead readiness {service.name}'}"
        return Gate(NAME, Answer.HOLD, said, lifts=lifts)
    return Gate(NAME, Answer.PASS, f"advice only: {said}", warns="; ".join(filter(None, (said, soon))))


def _named(rows: Sequence[Row]) -> str:
    told = ", ".join(f"{row.id} {row.title} ({row.state}: {row.why})" for row in rows[:NAMED])
    return f"{told}{and_more(rows, NAMED)}"


def _soon(rows: Sequence[Row], now: datetime) -> str:
    ending = [row for row in rows if row.state in {RowState.PASS, RowState.WAIVED} and row.expires is not None]
    near = sorted((row for row in ending if _end(row) - now <= _soon_is(row)), key=_end)
    if not near:
        return ""
    first = near[0]
    # Counted up: what ends within the day ends in one day.
    days = max(-((now - _end(first)) // timedelta(days=1)), 0)
    return f"{first.id} {first.title} expires in {count(days, 'day')}{and_more(near)}"


def _soon_is(row: Row) -> timedelta:
    """Of a word that lasts two weeks, two weeks are not soon."""
    return min(SOON, timedelta(days=ITEMS[row.id].days) / 3) if row.id in ITEMS else SOON


def _end(row: Row) -> datetime:
    assert row.expires is not None  # noqa: S101 - asked of rows that expire
    return row.expires
