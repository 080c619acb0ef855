"""May a service release now? One answer, in the same words, for the row, `pithead gate` and every refusal."""

from collections.abc import Sequence
from datetime import datetime

from pipeline.commands import Refused
from pipeline.gates import UNWELL, Answer, Gate, blocks, first_closed
from pipeline.lifecycle import Phase, Rollout
from pipeline.model import Service
from pipeline.policy import break_glass, isolation, load_test, readiness, security_fix
from pipeline.policy.hotfix import hotfix
from pipeline.policy.payback import payback
from pipeline.policy.wording import lifted
from pipeline.premises import Premises
from pipeline.release.holds import before
from pipeline.situation import Situation
from pipeline.view import Deploy, GateReport

ADVICE = frozenset({isolation.NAME})
"""Gates whose warnings are advice, shown with them: nothing closes for it, so the word stays OK."""
LOUD = (break_glass.NAME, security_fix.NAME, load_test.NAME)
"""Of several that warn, the first to be named."""


def admission(
    service: Service,
    rollout: Rollout | None,
    gates: tuple[Gate, ...],
    premises: Premises,
    started: Sequence[datetime],
    now: datetime,
    drift: Gate | None = None,
    holds: tuple[Gate, ...] = (),
) -> GateReport:
    """What would hold a release that is submitted now; of one that is on its way, what holds it: `gates`.

    `drift` and `holds` are about the hosts and the controller itself, as they are while nothing is on its way.
    """
    if rollout is None or rollout.ended:
        known = (drift,) if drift is not None else ()
        asked = (*known, *before(service, premises, None, started, now), *holds)
        return _report(service, now, _with_papers(asked, service, premises, now))
    if rollout.phase is Phase.ROLLING_BACK:
        lifts = f"by itself, when {rollout.stable} runs again"
        back = Gate(
            "rollback", Answer.HOLD, f"going back to {rollout.stable}: {rollout.why}", rollout.since, None, lifts
        )
        return _report(service, now, (back,))
    return _report(service, now, gates)


def until(report: GateReport) -> datetime | None:
    """Until when the gate that is named is closed, where that is known."""
    named = first_closed(report.gates)
    return named.until if named is not None else None


def _with_papers(
    asked: tuple[Gate, ...], service: Service, premises: Premises, now: datetime, revision: str = ""
) -> tuple[Gate, ...]:
    """As they are with what people have given: a security fix for `revision`, break-glass."""
    let = security_fix.through(asked, premises.docket, now, revision)
    return break_glass.through(let, service, premises.docket, now)


def refuse_submit(what: str, service: Service, premises: Premises, now: datetime, revision: str = "") -> None:
    """Raises `Refused` in a gate's own words where a release should not even be queued.

    It would wait for months, or be a hotfix.
    """
    asked = (hotfix(service, premises, now), payback(service, premises, now))
    for gate in _with_papers(asked, service, premises, now, revision):
        if gate.answer is Answer.HOLD:
            raise Refused(what, f"{gate.name}: {gate.why}", lifted(gate))


def queued_behind(situation: Situation, by: str, revision: str) -> tuple[Gate, ...]:
    """The gates that a release of `revision` by `by` meets as it is queued.

    Those of the machinery as they were seen last.
    """
    machinery = (gate for gate in situation.gates if gate.name in UNWELL)
    premises, now = situation.premises, situation.now
    asked = (*machinery, *before(situation.service, premises, by, situation.started, now))
    return _with_papers(asked, situation.service, premises, now, revision)


def _report(service: Service, now: datetime, gates: tuple[Gate, ...]) -> GateReport:
    if not gates:
        return GateReport(service.name, now, Deploy.UNKNOWN, "its gates are not asked yet", gates)
    closed = first_closed(gates)
    if closed is not None:
        return GateReport(service.name, now, _word(closed), f"{closed.name}: {closed.why}", gates)
    advice = ADVICE if service.business_critical else ADVICE | {readiness.NAME}
    warning = min((gate for gate in gates if gate.warns and gate.name not in advice), key=_loudness, default=None)
    if warning is not None:
        return GateReport(service.name, now, Deploy.WARN, f"{warning.name}: {warning.warns}", gates)
    return GateReport(service.name, now, Deploy.OK, f"all {len(gates)} gates pass", gates)


def _word(closed: Gate) -> Deploy:
    if blocks(closed):
        return Deploy.BLOCKED
    return Deploy.UNKNOWN if closed.answer is Answer.UNKNOWN else Deploy.HOLD


def _loudness(gate: Gate) -> int:
    return LOUD.index(gate.name) if gate.name in LOUD else len(LOUD)
