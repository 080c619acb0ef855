"""An approved security fix: one build goes past what was overspent, in one release; every other gate stays as it is.

It is about what is known: a budget of which nothing is known stays closed. It ends no block.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from pipeline.docket import Docket, SecurityFix
from pipeline.gates import Answer, Gate
from pipeline.model import Service
from pipeline.policy import error_budget, payback
from pipeline.policy.wording import at
from pipeline.premises import Premises

NAME = "security-fix"
PAST = frozenset({error_budget.NAME, payback.NAME, "frequency"})
"""Gates that it opens; no other."""
BLOCKED_BY = frozenset({error_budget.NAME, payback.NAME})
"""Without one of these closed there is nothing to ask for: who releases often waits for the next day."""
LET = "let past by security fix"


def through(
    gates: Iterable[Gate], docket: Docket, now: datetime, revision: str = "", release: str = ""
) -> tuple[Gate, ...]:
    """`gates` as they are for a release of `revision`, with the service's security fix if one is in force.

    `revision` is "" where nobody has named one: the gates stay as they are, and say which build may go.
    """
    its = docket.security_fix_in_force(now)
    if its is None:
        return tuple(gates)
    let = its.lets(revision, release)
    return (_shown(its), *((_opened if let else _of_another)(gate, its) for gate in gates))


def held_by(service: Service, premises: Premises, now: datetime) -> tuple[Gate, ...]:
    """What one could be asked for: the gates of spent budgets that are known to be closed."""
    asked = (payback.payback(service, premises, now), error_budget.error_budget(service, premises, now))
    return tuple(gate for gate in asked if gate.answer is Answer.HOLD)


def opened(gates: Iterable[Gate]) -> str:
    """Which of these it has opened, in words; "" where none."""
    names = [gate.name for gate in gates if gate.name in PAST and gate.why.startswith(LET)]
    return f"its security fix let it past {', '.join(names)}" if names else ""


def _opened(gate: Gate, its: SecurityFix) -> Gate:
    if gate.name not in PAST or gate.answer is not Answer.HOLD:
        return gate
    let = f"{LET} {its.id} ({its.advisory}; {its.by}, approved by {its.approved_by}, until {at(its.ends)})"
    return replace(gate, answer=Answer.PASS, why=f"{let}: {gate.why}", until=None, lifts="", warns=let)


def _of_another(gate: Gate, its: SecurityFix) -> Gate:
    if gate.name not in PAST or gate.answer is not Answer.HOLD:
        return gate
    whose = f"{its.revision} of {its.used_by[0]}" if its.used_by else its.revision
    return replace(gate, why=f"{gate.why}; security fix {its.id} is for {whose} alone")


def _shown(its: SecurityFix) -> Gate:
    why = (
        f"SECURITY FIX {its.id} of {its.by}, approved by {its.approved_by}: {its.revision} ({its.advisory}) goes past "
        f"{', '.join(sorted(PAST))} until {at(its.ends)}: {its.reason}"
    )
    return Gate(
        NAME,
        Answer.PASS,
        why,
        since=its.approved,
        until=its.ends,
        lifts=f"it ends by itself, with its release, or pithead revoke {its.service} {its.id}",
        warns=f"SECURITY FIX {its.id} lets {its.revision} past {', '.join(sorted(PAST))} until {at(its.ends)}",
    )
