"""Views as lines of plain text, for shells and scripts; what a screen would show, without its colours."""

from collections.abc import Iterable

from pipeline.alerts import Alert, told_whole
from pipeline.events import Event
from pipeline.gates import Answer, Gate
from pipeline.policy.wording import lifted
from pipeline.view import Budget, Deploy, FleetView, JudgeView, Mark, ServiceRow, ServiceView, StageCell
from pipeline.words import duration
from pithead import spans

HEAD = ("SERVICE", "STATE", "VERDICT", "STAGING", "CANARY", "PROD", "BUDGET", "WHY")
MARKS = {Answer.PASS: "+", Answer.HOLD: "~", Answer.FAIL: "x", Answer.UNKNOWN: "?"}
NEWEST = 5
NOT_WELL = (Mark.BAD, Mark.UNKNOWN)


def fleet(view: FleetView) -> list[tuple[str, ...]]:
    """A head and a line a service, in the configuration's order."""
    return [HEAD, *(row(each) for each in view.services)]


def row(of: ServiceRow) -> tuple[str, ...]:
    verdict = of.verdict.upper() if of.verdict is not None else "-"
    cells = (cell(of.staging), cell(of.canary), cell(of.production))
    return (of.name, of.state.value, verdict, *cells, budget(of.budget), "; ".join((*marks(of), of.why)))


def marks(of: ServiceRow) -> tuple[str, ...]:
    """What must be seen wherever the service is: break-glass or a security fix in force, an open incident."""
    glass = f"BREAK-GLASS {of.glass}" if of.glass else ""
    fix = f"SECURITY FIX {of.security_fix}" if of.security_fix else ""
    return tuple(filter(None, (glass, fix, of.incident)))


def deploy(of: Budget, gates: Iterable[Gate] = ()) -> str:
    """As in "BLOCKED until 2025-04-15 09:04 UTC: payback: ..."; "" where a release may begin.

    Where one of `gates`, which are shown beside it, says why, it is only named.
    """
    if of.deploy is Deploy.OK:
        return ""
    said = next((gate.name for gate in gates if f"{gate.name}: {gate.why}" == of.deploy_why), of.deploy_why)
    end = spans.instant(of.deploy_until, said) if of.deploy_until is not None else ""
    until = f" until {end}" if end else ""
    return f"{of.deploy.value}{until}: {said}"


def cell(of: StageCell) -> str:
    """As `r12 3/8`, `r12 25%`, or `-`."""
    if not of.revision:
        return "-"
    if of.mark is Mark.UNKNOWN:
        return f"{of.revision} ?"
    if of.share is not None and of.share < 1:
        return f"{of.revision} {int(100 * of.share)}%"
    return f"{of.revision} {of.done}/{of.of}" if of.of else of.revision


def budget(of: Budget) -> str:
    """What is left, cut and never rounded up."""
    return "?" if of.left is None else f"{int(100 * of.left // 1)}%"


def change(of: ServiceRow) -> str:
    """A service in one line, for those who follow it."""
    waits = f" (at least {duration(of.wait_s)} to go)" if of.wait_s else ""
    revision = f" {of.revision}" if of.revision else ""
    return f"{of.name}{revision} {of.state.value}: {of.why}{waits}"


def page(view: ServiceView) -> Iterable[str]:
    """A service's page."""
    at_hand = view.row
    verdict = f"  {at_hand.verdict.upper()}" if at_hand.verdict is not None else ""
    yield f"{at_hand.name}  {at_hand.state.value}{verdict}  {at_hand.why}"
    yield f"  staging {cell(at_hand.staging)}  canary {cell(at_hand.canary)}  production {cell(at_hand.production)}"
    left = f"{budget(at_hand.budget)} of {at_hand.budget.window}"
    yield f"  stable {view.stable or '?'}  release {at_hand.release or '-'}  budget {left}"
    yield from (f"  ! {mark}" for mark in marks(at_hand))
    held = deploy(at_hand.budget, view.gates)
    if held:
        yield f"  deploy {held}"
    closed = [gate.name for gate in view.gates if gate.answer is not Answer.PASS]
    if len(closed) > 1:
        yield f"  {len(closed)} gates hold it: {', '.join(closed)}"
    if view.judge is not None:
        yield f"  {judged(view.judge)}"
        yield from (f"  alert: {alert}" for alert in view.judge.alerts)
    if view.alerts_fault:
        yield f"  ? alerts: {view.alerts_fault}"
    for alert in view.alerts:
        yield f"  {alert_line(alert)}"
    for metric in view.panes:
        if metric.why:
            yield f"  {(metric.verdict or '-').upper():7} {metric.why}"
    for gate in sorted(view.gates, key=lambda gate: gate.answer is Answer.PASS):
        yield f"  {gate_line(gate)}"
    for host in view.hosts:
        if host.mark in NOT_WELL:
            yield f"  host {host.name} ({host.datacenter}, {host.track}) {host.revision or '?'}: {host.detail or '?'}"
    # Looks come every few seconds, and the newest one stands above.
    for event in [event for event in view.timeline if event.action != "look"][:NEWEST]:
        yield f"  {event_line(event)}"


def judged(by: JudgeView) -> str:
    """As in "judged against 9 production hosts, warm-up 3 of 10 min, uncalibrated"."""
    warmup = f"warm-up {by.warmup}" if by.warmup else ""
    untried = "" if by.calibrated else "uncalibrated"
    return ", ".join(filter(None, (against(by.control), warmup, untried)))


def against(control: str) -> str:
    """As in "judged against 9 production hosts".

    Why none beside the canary is compared with stays first: "2 production hosts are too few to compare with: judged
    against production before".
    """
    few, held, before = control.partition(": held against ")
    return f"{few}: judged against {before}" if held else f"judged against {control or 'nothing'}"


def alert_line(alert: Alert) -> str:
    """As in "! HighErrors (critical) on canary in prod, since 2026-01-09 14:07:31Z: 5 % of requests fail"."""
    return f"! {told_whole(alert, f'{alert.since:%Y-%m-%d %H:%M:%S}Z')}"


def gate_line(gate: Gate) -> str:
    if gate.answer is Answer.PASS:
        more = [f"warning: {gate.warns}"] if gate.warns else []
    else:
        more = [lifted(gate).removeprefix("it "), times(gate)]
    return "; ".join(filter(None, (f"{MARKS[gate.answer]} {gate.name}: {gate.why}", *more)))


def times(gate: Gate) -> str:
    """As in "since 2026-01-09 14:07:31Z until 2026-01-10 14:07:31Z", as far as they are known and not said yet."""
    since = f"since {spans.instant(gate.since)}" if gate.since is not None else ""
    end = spans.instant(gate.until, f"{gate.why} {gate.lifts}") if gate.until is not None else ""
    return " ".join(filter(None, (since, f"until {end}" if end else "")))


def event_line(event: Event) -> str:
    when = f"{event.at:%Y-%m-%d %H:%M:%S}Z"
    about = f"{event.service} {event.revision}".rstrip()
    return f"{when}  {event.who.name}  {about}  {event.action}: {event.detail}"
