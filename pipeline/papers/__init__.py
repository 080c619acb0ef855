"""What people lay down about services: each verb taken, or refused with the reason. Pure; one module a group."""

from collections.abc import Mapping
from types import MappingProxyType

from pipeline.commands import Verb
from pipeline.papers import attestations, corrections, incidents, locks, passes, reservations, security_fixes, shared
from pipeline.papers.common import Taker, checked

TAKERS: Mapping[Verb, Taker] = MappingProxyType(
    {
        verb: checked(taker)
        for verb, taker in {
            Verb.LOCK: locks.lock,
            Verb.UNLOCK: locks.unlock,
            Verb.RESERVE: reservations.reserve,
            Verb.RELEASE: reservations.release,
            Verb.ATTEST: attestations.attest,
            Verb.WAIVE: attestations.waive,
            Verb.INCIDENT: incidents.incident,
            Verb.CLOSE: incidents.close,
            Verb.BREAKGLASS: passes.breakglass,
            Verb.SECURITYFIX: security_fixes.securityfix,
            Verb.REVIEW: passes.review,
            Verb.CORRECT: corrections.correct,
            Verb.APPROVE: shared.approve,
            Verb.REVOKE: shared.revoke,
        }.items()
    }
)
