"""The checklist of one service, worked out: what is measured, what people vouch for, what is let off."""

from collections.abc import Sequence
from datetime import datetime

from pipeline.docket import Attestation, LoadTest
from pipeline.model import Service
from pipeline.readiness.catalogue import ITEMS, Item
from pipeline.readiness.facts import Found, ReadinessFacts, Subject
from pipeline.readiness.report import ReadinessReport, Row, RowState


def checklist(
    service: Service,
    attestations: Sequence[Attestation],
    load_tests: Sequence[LoadTest],
    facts: ReadinessFacts,
    now: datetime,
) -> ReadinessReport:
    """`attestations` and `load_tests` of the service, oldest first."""
    subject = Subject(service, facts, load_tests, now)
    counted = service.rules.readiness.rows
    rows = tuple(_row(item, subject, attestations) for item in ITEMS.values() if counted is None or item.id in counted)
    return ReadinessReport(service.name, now, service.business_critical, rows)


def _row(item: Item, of: Subject, attestations: Sequence[Attestation]) -> Row:
    words = [one for one in attestations if one.item == item.id and one.revoked is None]
    waiver = next((one for one in reversed(words) if one.waived and one.holds(of.now)), None)
    spoken = [one for one in reversed(words) if not one.waived]
    # A word that has lapsed takes nothing from an older one that still holds.
    word = next((one for one in spoken if one.holds(of.now)), spoken[0] if spoken else None)
    found = item.measured(of) if item.measured is not None else None
    lifts = f"pithead attest {of.service.name} {item.id} --reason ... --evidence ..."
    if found is not None and found.state is RowState.PASS and not item.vouched:
        return Row(item.id, item.title, RowState.PASS, found.why)
    if waiver is not None:
        why = f"waived by {waiver.by}: {waiver.reason}"
        return Row(item.id, item.title, RowState.WAIVED, why, waiver.expires)
    if found is not None and found.state is RowState.FAIL:
        # What is measured and wrong is not talked away: it is mended, or let off for a time.
        return Row(item.id, item.title, RowState.FAIL, found.why, lifts=_mended(of.service.name, item))
    if word is not None and word.holds(of.now):
        return Row(item.id, item.title, RowState.PASS, _vouched(word, found), word.expires)
    if word is not None:
        why = f"{word.by}'s word of {word.at:%Y-%m-%d} has expired"
        return Row(item.id, item.title, RowState.EXPIRED, why, word.expires, lifts)
    missing = "nobody vouches for it" if found is None or found.state is RowState.PASS else found.why
    said = f"{found.why}; {missing}" if found is not None and found.state is RowState.PASS else missing
    return Row(item.id, item.title, RowState.UNKNOWN, said, lifts=lifts)


def _vouched(word: Attestation, found: Found | None) -> str:
    said = f"{word.by}: {word.reason}{f' ({word.evidence})' if word.evidence else ''}"
    return f"{found.why}; {said}" if found is not None and found.state is RowState.PASS else said


def _mended(service: str, item: Item) -> str:
    return f"when it is mended; or for a time: pithead waive {service} {item.id} --until ... --reason ..."
