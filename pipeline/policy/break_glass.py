"""Break-glass: in a severe incident, with a second person's word, waiting is skipped; what protects users is not.

The judge's verdict, staging checks, hosts, locks and every rollback stay as they are.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from pipeline.docket import Docket, Pass
from pipeline.gates import Answer, Gate
from pipeline.policy.wording import clock

NAME = "break-glass"
WAITING = frozenset(
    {
        "freeze",
        "frequency",
        "traffic-cycle",
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


def through(gates: Iterable[Gate], docket: Docket, now: datetime) -> tuple[Gate, ...]:
    """`gates` as they are with the service's pass, if one is in force; it stands first, and loud."""
    found = tuple(gates)
    its = docket.pass_in_force(now)
    if its is None:
        return found
    return (_shown(its), *(_opened(gate, its) for gate in found))


def opened(gates: Iterable[Gate]) -> str:
    """Which of these a pass has opened, in words; "" where none."""
    names = [gate.name for gate in gates if gate.name in WAITING and gate.why.startswith(SKIPPED)]
    return f"break-glass skipped {', '.join(names)}" if names else ""


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
