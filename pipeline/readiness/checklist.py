"""The checklist of one service, worked out: what is measured, what people vouch for, what is let off."""

from collections.abc import Sequence
from datetime import datetime

from pipeline.docket import Attestation, CiResult, LoadTest
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
    ci: Sequence[CiResult] = (),
) -> ReadinessReport:
    """`attestations`, `load_tests` and results of `ci` of the service, oldest first."""
    subject = Subject(service, facts, load_tests, now, ci)
    counted = service.rules.readiness.rows
    rows = tuple(_row(item, subject, attestations) for item in ITEMS.values() if counted is None or item.id in counted)
    return ReadinessReport(service.name, now, service.business_critical, rows, facts.build, _digest(facts))


def _row(item: Item, of: Subject, attestations: Sequence[Attestation]) -> Row:
    words = [one for one in attestations if one.item == item.id and one.revoked is None]
    waiver = next((one for one in reversed(words) if one.waived and one.holds(of.now)), None)
    spoken = [one for one in reversed(words) if not one.waived and (not item.per_build or _of_build(one, of.facts))]
    # A word that has lapsed takes nothing from an older one that still holds.
    word = next((one for one in spoken if one.holds(of.now)), spoken[0] if spoken else None)
    found = item.measured(of) if item.measured is not None else None
    build = f" --revision {of.facts.build}" if item.per_build and of.facts.build else ""
    lifts = f"pithead attest {of.service.name} {item.id}{build} --reason ... --evidence ..."
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


def _of_build(word: Attestation, facts: ReadinessFacts) -> bool:
    """Whether it is about the build at hand: its revision, and its digest where that is known."""
    if facts.seen.digest is not None and facts.seen.digest.waits:
        return False
    digest = _digest(facts)
    return bool(word.revision) and word.revision == facts.build and (not digest or word.digest == digest)


def _digest(facts: ReadinessFacts) -> str:
    return facts.seen.digest.value if facts.seen.digest is not None else ""
