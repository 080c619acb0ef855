"""The baseline beside a canary: hosts restarted on the stable revision as the canaries are deployed, each told once.

No release fails by them. A host that does not come back in time is left out of the baseline, and that is said;
production is what it is again, and one that was told is seen to as a straggler.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain, zip_longest

from pipeline.events import Event, Intent, Outcome, Result
from pipeline.gates import Answer, Gate
from pipeline.lifecycle import Phase, Rollout
from pipeline.observed import HostState, Observation
from pipeline.release.facts import Facts
from pipeline.release.hostwork import Journal, Standing, Step, Work, busy, is_restart
from pipeline.words import duration, some


def restarts(facts: Facts, *, tell: bool = False, repeat: bool = False) -> Work:
    """Every baseline host that may be told now, where `tell`; and in any phase, how restarts ended that are open.

    `repeat`: whether a host that does not know of its restart is told again.
    """
    rollout, journal, seen = facts.rollout, facts.journal, facts.telemetry.seen
    going = frozenset(rollout.baseline) if rollout.phase is Phase.CANARY_DEPLOY else frozenset()
    closed: list[Outcome] = []
    again: list[Intent] = []
    for host, intent in journal.open.items():
        if intent.operation in journal.running or not is_restart(intent.operation, host):
            continue
        end = _end_of(intent, seen.get(host), facts.now, going=host in going)
        if end is not None:
            closed.append(end)
        elif repeat and host in going and _unheard(intent, seen.get(host)) and _rested(facts, host):
            again.append(intent)
    standings = survey(facts, closed) if going else {}
    missing = [host for host, standing in standings.items() if standing is Standing.MISSING]
    orders = tuple(_order(rollout, host, facts.now) for host in missing) if tell else ()
    return Work({}, orders, tuple(again), tuple(closed), standings)


def survey(facts: Facts, closed: Sequence[Outcome] = ()) -> dict[str, Standing]:
    """How each baseline host stands, those of its operations that have just been `closed` no longer open."""
    journal, ended = facts.journal, {outcome.operation for outcome in closed}
    still = {host: intent for host, intent in journal.open.items() if intent.operation not in ended}
    rest = replace(journal, open=still)
    return {
        host: _standing(facts.rollout, host, facts.telemetry.seen.get(host), rest) for host in facts.rollout.baseline
    }


def _standing(rollout: Rollout, host: str, now: Observation | None, journal: Journal) -> Standing:
    told = journal.open.get(host)
    if told is not None:
        return Standing.COMING if told.operation in journal.running else Standing.UNKNOWN
    if not isinstance(now, HostState):
        return Standing.LOST
    well = now.healthy and now.revision == rollout.stable
    if not _told(rollout, host, journal):
        return Standing.MISSING if well else Standing.SICK
    # That it runs the stable revision says nothing, it did before: only its word on this very restart counts.
    if now.operation != _operation(rollout, host) or now.result is not Result.DONE:
        return Standing.FAILED
    return Standing.THERE if well else Standing.SICK


def _operation(rollout: Rollout, host: str) -> str:
    """There is no second attempt."""
    return f"{rollout.id}.{Step.BASELINE}.{host}.1"


def _told(rollout: Rollout, host: str, journal: Journal) -> bool:
    return f"{rollout.id}.{Step.BASELINE}.{host}" in journal.attempts


def _order(rollout: Rollout, host: str, now: datetime) -> Intent:
    return Intent(_operation(rollout, host), rollout.id, rollout.service, host, rollout.stable, now)


def _end_of(intent: Intent, now: Observation | None, at: datetime, *, going: bool) -> Outcome | None:
    if not isinstance(now, HostState):
        return None
    if now.operation == intent.operation:
        return None if now.result is None else Outcome(intent.operation, now.result, now.detail, at)
    return None if going else Outcome(intent.operation, Result.FAILED, "given up: the host does not know of it", at)


def _unheard(intent: Intent, now: Observation | None) -> bool:
    return isinstance(now, HostState) and now.operation != intent.operation


def _rested(facts: Facts, host: str) -> bool:
    """Whether it is a deadline ago that this controller told the host; one that has just begun never did."""
    told_s = facts.journal.told_s.get(host)
    return told_s is None or facts.now_s - told_s >= facts.service.rules.deploy.deadline_s


def paired(facts: Facts, step: Step, canary: Work, baseline: Work, at_once: int) -> Work:
    """Both groups' work as one, at most `at_once` hosts of both not well at a time, in turns so that ages match.

    Once a baseline host was lost, canaries go first: they do not wait for one dead host after another.
    """
    free = max(at_once - busy(step, canary.standings) - moving(facts, baseline), 0)
    behind = _missing(baseline.baseline) > _missing(canary.standings)
    turns = zip_longest(baseline.orders, canary.orders) if behind else zip_longest(canary.orders, baseline.orders)
    inorder = (*canary.orders, *baseline.orders) if _lost_one(facts) else chain(*turns)
    return Work(
        canary.standings,
        tuple(order for order in inorder if order is not None)[:free],
        canary.again + baseline.again,
        canary.closed + baseline.closed,
        baseline.baseline,
    )


def _missing(standings: Mapping[str, Standing]) -> int:
    return sum(standing is Standing.MISSING for standing in standings.values())


def moving(facts: Facts, baseline: Work) -> int:
    """Baseline hosts that may be in the middle of their restart."""
    told = {host: its for host, its in baseline.baseline.items() if _told(facts.rollout, host, facts.journal)}
    return busy(Step.FORWARD, told)


def _lost_one(facts: Facts) -> bool:
    prefix = f"{facts.rollout.id}.{Step.BASELINE}."
    told = (key.removeprefix(prefix) for key in facts.journal.attempts if key.startswith(prefix))
    return any(host not in facts.rollout.baseline for host in told)


def left_out(facts: Facts, *, waited_for: bool) -> tuple[Rollout, tuple[Event, ...]]:
    """The release without the baseline hosts that are given up, and what is said of them.

    `waited_for`: the canaries are well and nothing else stands still, so that only the baseline is missing.
    """
    rollout, whys = facts.rollout, _given_up(facts, waited_for=waited_for)
    if not whys:
        return rollout, ()
    told = [host for host in whys if _told(rollout, host, facts.journal)]
    kept = tuple(host for host in rollout.baseline if host not in whys)
    changed = replace(rollout, baseline=kept, stragglers=tuple(dict.fromkeys((*rollout.stragglers, *told))))
    return changed, tuple(
        facts.event("host", f"left out of the baseline, {len(kept)} stay: {some(hosts)}: {why}")
        for why in dict.fromkeys(whys.values())
        if (hosts := [host for host, its in whys.items() if its == why])
    )


def _given_up(facts: Facts, *, waited_for: bool) -> Mapping[str, str]:
    """Why, by host."""
    rollout, deadline_s = facts.rollout, facts.service.rules.deploy.deadline_s
    if rollout.phase is not Phase.CANARY_DEPLOY:
        return {}
    over = waited_for and rollout.stalled_s > deadline_s
    whys: dict[str, str] = {}
    for host, standing in restarts(facts).baseline.items():
        told = _told(rollout, host, facts.journal)
        # A controller that has just begun knows no more than that the host was told before.
        since_s = facts.journal.told_s.get(host, facts.telemetry.begun_at_s or facts.now_s)
        if standing is Standing.FAILED:
            whys[host] = _failed(facts, host)
        elif standing is not Standing.THERE and (over or (told and facts.now_s - since_s > deadline_s)):
            whys[host] = f"{'not back from its restart' if told else 'not to be restarted'} in {duration(deadline_s)}"
    return whys


def _failed(facts: Facts, host: str) -> str:
    now = facts.telemetry.seen.get(host)
    if not isinstance(now, HostState) or now.operation != _operation(facts.rollout, host):
        return "not restarted when told to"
    return f"its restart failed: {now.detail}" if now.detail else "its restart failed"


def restarted(facts: Facts, work: Work) -> tuple[Gate, ...]:
    """The gate of a canary whose baseline is not restarted yet; none where there is no baseline to wait for."""
    rollout, standings = facts.rollout, work.baseline
    if rollout.phase is not Phase.CANARY_DEPLOY or not rollout.baseline:
        return ()
    rest = [host for host, standing in standings.items() if standing is not Standing.THERE]
    said = f"{len(standings) - len(rest)} of {len(standings)} baseline hosts restarted on {rollout.stable}"
    if not rest:
        return (Gate("baseline", Answer.PASS, said),)
    deadline = duration(facts.service.rules.deploy.deadline_s)
    lifts = f"by itself, as they come up; a host that is not back in {deadline} is left out"
    return (Gate("baseline", Answer.HOLD, f"{said}; to come: {some(rest)}", lifts=lifts),)
