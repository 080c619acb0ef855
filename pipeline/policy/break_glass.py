"""Break-glass: in a severe incident, with a second person's word, waiting is skipped; what protects users is not.

The judge's verdict, staging checks, hosts, locks and every rollback stay as they are.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.docket import Docket, Pass, SecurityFix, called
from pipeline.gates import Answer, Gate
from pipeline.model import Service
from pipeline.policy.wording import and_more, at, clock

NAME = "break-glass"
REVIEW = "review"
REVIEWED_WITHIN = timedelta(days=3)
"""Of its end: then a used pass without a review is told at every gate."""
WAITING = frozenset(
    {
        "freeze",
        "frequency",
        "traffic-cycle",
        "canary-traffic",
        "soak",
        "budget",
        "payback",
        "coverage",
        "reservation",
        "readiness",
        "hotfix",
        "canary-overlap",
    }
)
"""Gates that a pass opens; no other."""


def through(gates: Iterable[Gate], service: Service, docket: Docket, now: datetime) -> tuple[Gate, ...]:
    """`gates` as they are with the service's pass, if one is in force; it stands first, and loud.

    Without one, each closed gate that a pass would open says so.
    """
    found = (*gates, *_unreviewed(docket, now))
    its = docket.pass_in_force(now)
    if its is None:
        return tuple(_offered(gate, service) for gate in found)
    return (_shown(its), *(_opened(gate, its) for gate in found))


def _unreviewed(docket: Docket, now: datetime) -> tuple[Gate, ...]:
    """Where a pass that was used waits too long for its review, it is said at every gate; nothing is held for it."""
    late = [one for one in docket.unreviewed(now) if now - _end(one) > REVIEWED_WITHIN]
    if not late:
        return ()
    first = late[0]
    mend = f"pithead review {first.service} {first.id} --reason ..."
    why = f"{called(first)} of {first.by}, over since {at(_end(first))}, is not reviewed{and_more(late)}"
    return (Gate(REVIEW, Answer.PASS, why, _end(first), None, f"a person: {mend}", f"{why}: {mend}"),)


def _end(its: Pass | SecurityFix) -> datetime:
    return min(its.ended, its.ends) if its.ended is not None else its.ends


def opened(gates: Iterable[Gate]) -> str:
    """Which of these a pass has opened, in words; "" where none."""
    names = [gate.name for gate in gates if gate.name in WAITING and gate.why.startswith(SKIPPED)]
    return f"break-glass skipped {', '.join(names)}" if names else ""


def _offered(gate: Gate, service: Service) -> Gate:
    """The last way out, behind the others."""
    severe = service.rules.emergency.severe
    if gate.answer is Answer.PASS or gate.name not in WAITING or not severe:
        return gate
    # Not read as a part of the command before it.
    behind = ";" if ": " in gate.lifts else ","
    return replace(gate, lifts=f"{gate.lifts}{behind} or break-glass in a {' or '.join(severe)}")


SKIPPED = "skipped by break-glass"


def _opened(gate: Gate, its: Pass) -> Gate:
    if gate.name not in WAITING or gate.answer is Answer.PASS:
        return gate
    skipped_by = f"{SKIPPED} {its.id} ({its.by}, approved by {its.approved_by}, until {clock(its.ends)})"
    return replace(gate, answer=Answer.PASS, why=f"{skipped_by}: {gate.why}", until=None, lifts="", warns=skipped_by)


def _shown(its: Pass) -> Gate:
    why = (
        f"BREAK-GLASS {its.id} of {its.by}, approved by {its.approved_by}, for {its.incident} until {clock(its.ends)}: "
        f"{its.reason}"
    )
    return Gate(
        NAME,
        Answer.PASS,
        why,
        since=its.approved,
        until=its.ends,
        lifts=f"it ends by itself, or pithead revoke {its.service} {its.id}",
        warns=f"BREAK-GLASS until {clock(its.ends)}: waiting is skipped",
    )
