"""What people have laid down, as lines: what is in force, what waits for somebody, what lapses soon."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from pipeline.docket import Attestation, Correction, Docket, Incident, Lock, LockCause, Pass, Reservation, SecurityFix
from pithead.budget_page import corrected
from pithead.spans import instant

SOON = timedelta(days=14)


def lines(docket: Docket, now: datetime) -> Iterator[str]:
    found = [
        ("locks", [_lock(each) for each in docket.locks if each.on(now)]),
        ("reservations of staging", list(_reservations(docket.reservations, now))),
        ("open incidents", [_incident(each) for each in docket.incidents if each.open]),
        ("break-glass", [text for each in docket.passes for text in _pass(each, now)]),
        ("security fixes", [text for each in docket.security_fixes for text in _security_fix(each, now)]),
        (
            "corrections that wait for a second person",
            [
                f"{each.id} {each.service} {corrected(each)}: pithead approve {each.service} {each.id}"
                for each in docket.corrections
                if each.approved is None and each.revoked is None
            ],
        ),
        ("corrections that count", [_counting(each) for each in docket.corrections if each.counts]),
        (
            "attestations that expire within 14 d",
            [_attestation(each) for each in docket.attestations if _expires_soon(each, now)],
        ),
    ]
    if not any(texts for _, texts in found):
        yield "nothing is laid down"
    for title, texts in found:
        if texts:
            yield title
            yield from (f"  {text}" for text in texts)


def _lock(lock: Lock) -> str:
    cause = "" if lock.cause is LockCause.PERSON else f" ({lock.cause})"
    ends = f"until {instant(lock.ends)}" if lock.ends is not None else f"until pithead unlock {lock.service} {lock.id}"
    return f"{lock.id} {lock.service} by {lock.by}{cause}, {ends}: {lock.reason}"


def _reservations(all_: Iterable[Reservation], now: datetime) -> Iterator[str]:
    standing = sorted((each for each in all_ if each.on(now) or each.to_come(now)), key=lambda each: each.start)
    for each in standing:
        before = [
            other.id for other in standing if other.start < each.start and set(other.services) & set(each.services)
        ]
        waits = f", waits behind {', '.join(before)}" if before else ""
        when = f"until {instant(each.end)}" if each.on(now) else f"from {instant(each.start)} until {instant(each.end)}"
        yield f"{each.id} {', '.join(each.services)} by {each.owner}{waits}, {when}: {each.reason}"


def _incident(incident: Incident) -> str:
    since = f"since {instant(incident.at)}"
    return f"{incident.id} {incident.service} {incident.severity} {since} by {incident.by}: {incident.reason}"


def _pass(of: Pass, now: datetime) -> Iterator[str]:
    yield from _given(of, f"{of.id} {of.service} in {of.incident} by {of.by}", now)


def _security_fix(of: SecurityFix, now: datetime) -> Iterator[str]:
    yield from _given(of, f"{of.id} {of.service} {of.revision} ({of.advisory}) by {of.by}", now)


def _given(of: Pass | SecurityFix, who: str, now: datetime) -> Iterator[str]:
    used = f", used by {', '.join(of.used_by)}" if of.used_by else ""
    if of.waits(now):
        yield f"{who}: waits for a second person: pithead approve {of.service} {of.id}: {of.reason}"
    elif of.in_force(now):
        yield f"{who}, approved by {of.approved_by}{used}, IN FORCE until {instant(of.ends)}: {of.reason}"
    elif of.used_by and of.reviewed is None:
        mend = f"pithead review {of.service} {of.id}"
        yield f"{who}, approved by {of.approved_by}{used}: over, waits for a review: {mend}: {of.reason}"


def _counting(of: Correction) -> str:
    return f"{of.id} {of.service} {corrected(of)}; approved by {of.approved_by}: pithead revoke {of.service} {of.id}"


def _expires_soon(of: Attestation, now: datetime) -> bool:
    return of.holds(now) and of.expires is not None and of.expires <= now + SOON


def _attestation(of: Attestation) -> str:
    kind = "waived" if of.waived else "attested"
    build = f" of {of.revision}" if of.revision else ""
    evidence = f" ({of.evidence})" if of.evidence else ""
    until = instant(of.expires) if of.expires is not None else "?"
    return f"{of.id} {of.service} {of.item}{build} {kind} by {of.by}, until {until}: {of.reason}{evidence}"
