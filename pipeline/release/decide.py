"""One tick of one release: what was seen, whether it must go back, whether it may go on, who is told.

`decide` is pure: facts in, a `Decision` out. Backward comes first and asks no gate; forward needs every
gate of the phase. Nothing has happened until the decision is kept and acted on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.checks import CheckRule
from pipeline.events import Event, Intent, Outcome, Result
from pipeline.gates import STOPS_HOSTS, Gate, open_
from pipeline.judge.evidence import Evidence
from pipeline.judge.guards import GONE_LOOKS
from pipeline.judge.look import LookRecord
from pipeline.judge.trial import Judge, Kept, TrialRecord
from pipeline.judge.verdict import Judgement, Verdict
from pipeline.lifecycle import DEPLOYING, FORWARD, Phase, Rollout, Signal, step
from pipeline.model import Control, NoData
from pipeline.observed import HostState
from pipeline.placement import draw_baseline, draw_canaries
from pipeline.policy import isolation, security_fix, staging_limits
from pipeline.policy.alerts import failing, wrong
from pipeline.policy.break_glass import opened
from pipeline.policy.staging_checks import run_by_machine
from pipeline.release.account import moved
from pipeline.release.facts import Facts
from pipeline.release.holds import gates
from pipeline.release.hostwork import Standing, Step, Wish, Work, survey, work
from pipeline.release.looking import JUDGED, Looked, look
from pipeline.release.matched import left_out, moving, paired, restarts
from pipeline.release.targets import out_in_wave
from pipeline.words import duration, some

NOT_THERE = frozenset({Standing.LOST, Standing.FAILED, Standing.SICK, Standing.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Decision:
    rollout: Rollout
    gates: tuple[Gate, ...]
    work: Work
    """On the hosts of the release."""
    care: Work
    """On stragglers of an earlier one."""
    judgement: Judgement | None = None
    events: tuple[Event, ...] = ()
    checks: tuple[CheckRule, ...] = ()
    """To be run now."""
    evidence: Evidence | None = None
    """The judge's, with this tick in it."""
    begun: TrialRecord | None = None
    record: LookRecord | None = None
    """This tick's look, to be kept with its inputs."""
    kept: Kept | None = None

    @property
    def orders(self) -> tuple[Intent, ...]:
        """To be kept, then carried out."""
        return self.work.orders + self.care.orders

    @property
    def again(self) -> tuple[Intent, ...]:
        """Kept already; to be carried out once more."""
        return self.work.again + self.care.again

    @property
    def closed(self) -> tuple[Outcome, ...]:
        return self.work.closed + self.care.closed


def decide(facts: Facts, judge: Judge[Evidence]) -> Decision:
    """What to do about a service's newest release; of one that has ended, about its stragglers."""
    looked = look(facts, judge)
    decision = _decided(replace(facts, rollout=looked.rollout), looked, judge)
    return replace(decision, evidence=looked.evidence, begun=looked.begun, record=looked.record, kept=looked.kept)


def _decided(facts: Facts, looked: Looked, judge: Judge[Evidence]) -> Decision:
    judgement, events = looked.judgement, looked.events
    before = _work(facts, tell=False)
    facts = replace(facts, rollout=_counted(facts, before))
    found = gates(facts, judgement, before)
    signal, why = _signal(facts, judgement, before, found)
    if signal is None:
        return _told(facts, found, judgement, events)
    skipped = (opened(found), security_fix.opened(found)) if signal is not Signal.FAILED else ()
    why = "; ".join(filter(None, (why, *skipped)))
    now = _drawn(facts, step(facts.rollout, signal, facts.now, why), before)
    if signal is Signal.FAILED:
        now = replace(now, untaken=_untaken(facts))
    if facts.rollout.phase is Phase.CANARY_BAKE and now.phase is Phase.WAVE_DEPLOY and looked.evidence is not None:
        now = replace(now, reference=judge.reference(looked.evidence) or now.reference)
    said = (*events, moved(facts, now, judgement))
    facts = replace(facts, rollout=now)
    again = judgement if now.phase in JUDGED else None
    return _told(facts, gates(facts, again, _work(facts, tell=False)), again, said)


def _told(facts: Facts, found: tuple[Gate, ...], judgement: Judgement | None, events: tuple[Event, ...]) -> Decision:
    forward = facts.rollout.phase in FORWARD
    # A staging host that turns out to be production's must get nothing.
    first = facts.rollout.phase is Phase.STAGING_DEPLOY
    stops = [gate for gate in found if gate.name in STOPS_HOSTS or (first and gate.name == isolation.NAME)]
    stopped = forward and not open_(stops)
    # Hosts that do not know what they were told close their own gate: they must hear it for it to open.
    held = forward and not open_(gate for gate in stops if gate.name != "hosts")
    waited_for = open_(gate for gate in found if gate.name != "baseline")
    rollout, left = left_out(facts, waited_for=waited_for)
    facts = replace(facts, rollout=rollout)
    now = _work(facts, tell=not stopped, repeat=not held)
    rollout, care = _care(facts)
    late = _late(facts, rollout, care)
    return Decision(rollout, found, now, care, judgement, (*events, *left, *late), _due(facts, found))


def _drawn(facts: Facts, now: Rollout, before: Work) -> Rollout:
    """The hosts that the new phase is about, kept as they are drawn."""
    if now.phase is Phase.CANARY_DEPLOY:
        hosts, rules = facts.service.production, facts.service.rules
        canaries = draw_canaries(hosts, rules.canary, now.seed, now.before)
        if rules.judge.control is Control.BASELINE:
            now = replace(now, baseline=draw_baseline(hosts, canaries, rules.canary.stratify, now.seed))
        return replace(now, canaries=canaries, out=canaries, reference=facts.telemetry.production_so_far())
    if now.phase is Phase.WAVE_DEPLOY:
        return replace(now, out=out_in_wave(facts.service, now, now.wave))
    if now.phase in {Phase.SETTLED, Phase.ROLLED_BACK}:
        missing = [host for host, standing in before.standings.items() if standing is not Standing.THERE]
        return replace(now, stragglers=tuple(dict.fromkeys((*now.stragglers, *missing))))
    return now


def _work(facts: Facts, *, tell: bool = False, repeat: bool = False) -> Work:
    """On the hosts of the release at hand, and those restarted beside its canary; nothing where it wants nothing."""
    rollout, rules, wanted = facts.rollout, facts.service.rules.deploy, facts.targets
    back = rollout.phase is Phase.ROLLING_BACK
    hosts = wanted.step if back else (*wanted.step, *sorted(wanted.new.difference(wanted.step)))
    if not hosts:
        return restarts(facts)
    revision = rollout.stable if back else rollout.revision
    wish = Wish(rollout.id, rollout.service, Step.BACK if back else Step.FORWARD, revision, hosts, rules.deadline_s)
    at_once = len(hosts) if back and rollout.wave == 0 else rules.at_once
    if not back:
        busy = sum(host in facts.journal.open for host in (*hosts, *wanted.beside))
        at_once = min(at_once, busy + facts.slots)
        tell = tell and not _too_many_bad(facts, survey(wish, facts.telemetry.seen, facts.journal, facts.now_s))
    beside = restarts(facts, tell=tell, repeat=repeat)
    free = at_once - moving(facts, beside)
    done = work(wish, facts.telemetry.seen, facts.journal, free, facts.now, facts.now_s, tell=tell, repeat=repeat)
    return paired(facts, wish.step, done, beside, at_once)


def _care(facts: Facts) -> tuple[Rollout, Work]:
    """Hosts that an earlier release, or this one as it ended, had to leave behind: told as they return."""
    rollout = facts.rollout
    known = {host.name for host in facts.service.hosts}
    left = [name for name in rollout.stragglers if name in known and name not in facts.targets.new]
    if not left or rollout.phase is Phase.ROLLING_BACK:
        return rollout, Work({})
    deadline_s = facts.service.rules.deploy.deadline_s
    wish = Wish(rollout.id, rollout.service, Step.AFTER, facts.stable, left, deadline_s)
    done = work(wish, facts.telemetry.seen, facts.journal, min(facts.slots, 1), facts.now, facts.now_s)
    there = set(done.names(Standing.THERE))
    return replace(rollout, stragglers=tuple(name for name in rollout.stragglers if name not in there)), done


def _late(facts: Facts, rollout: Rollout, care: Work) -> tuple[Event, ...]:
    """What is told of stragglers: the first time that one is told again, and when it is where it should be."""
    told = []
    for order in care.orders:
        if order.operation.endswith(".1"):
            before = any(key.endswith(f".{order.host}") for key in facts.journal.attempts)
            again = " again" if before else ""
            told.append(facts.event("host", f"{order.host} is told {order.revision}{again}, now that it answers"))
    there = [host for host in facts.rollout.stragglers if host not in rollout.stragglers]
    return (*told, *(facts.event("host", f"{host} runs {facts.stable}: it is no straggler any more") for host in there))


def _counted(facts: Facts, now: Work) -> Rollout:
    """Progress is more hosts healthy on the new revision than ever before in this phase."""
    rollout, there = facts.rollout, len(now.names(Standing.THERE))
    sick = [host for host in facts.targets.step if now.standings.get(host) is Standing.SICK]
    too_many = rollout.phase in FORWARD and _over(facts, len(sick))
    rollout = replace(rollout, sick_s=rollout.sick_s + facts.elapsed_s if too_many else 0.0)
    if there > rollout.most_healthy:
        return replace(rollout, most_healthy=there, stalled_s=0.0)
    if rollout.phase in DEPLOYING | {Phase.ROLLING_BACK} and rollout.pause is None:
        return replace(rollout, stalled_s=rollout.stalled_s + facts.elapsed_s)
    return rollout


def _over(facts: Facts, bad: int) -> bool:
    """Whether `bad` hosts of the stage or wave are more than it may lose."""
    return bad > 0 and (bad > facts.service.rules.deploy.max_failed or 2 * bad >= len(facts.targets.step))


def _too_many_bad(facts: Facts, standings: Mapping[str, Standing]) -> bool:
    """No further host is told while those that were come up dead."""
    bad = sum(standing in {Standing.SICK, Standing.FAILED} for standing in standings.values())
    return bad > facts.service.rules.deploy.max_failed


def _signal(facts: Facts, judgement: Judgement | None, now: Work, found: tuple[Gate, ...]) -> tuple[Signal | None, str]:
    """The move to make, and why; None to stay."""
    rollout = facts.rollout
    if rollout.phase is Phase.ROLLING_BACK:
        return _restored(facts, now)
    if rollout.phase in FORWARD:
        wrong = _must_go_back(facts, judgement, now)
        if wrong:
            return Signal.FAILED, wrong
    if rollout.ended or not open_(found):
        return None, ""
    if rollout.phase is Phase.QUEUED:
        return Signal.ADMITTED, "every gate of staging is open"
    if rollout.phase in {Phase.STAGING_CHECKS, Phase.CANARY_BAKE, Phase.WAVE_SOAK}:
        by = "an operator" if rollout.approved else "itself"
        return Signal.PROMOTED, f"promoted by {by}: {judgement.why if judgement else 'all checks passed'}"
    if rollout.phase is Phase.SETTLING:
        healthy = duration(facts.service.rules.deploy.settle_s)
        return Signal.STABLE, f"healthy for {healthy}: it is the stable revision now"
    last = rollout.phase is Phase.WAVE_DEPLOY and rollout.wave >= len(facts.service.rules.waves)
    there = sum(now.standings.get(host) is Standing.THERE for host in facts.targets.step)
    return Signal.COMPLETED if last else Signal.DEPLOYED, f"{there} of {len(facts.targets.step)} hosts healthy"


def _must_go_back(facts: Facts, judgement: Judgement | None, now: Work) -> str:
    """Why the release must be undone; "" if it need not be."""
    rollout, rules = facts.rollout, facts.service.rules
    if judgement is not None and judgement.verdict is Verdict.FAIL:
        return f"FAIL: {judgement.why}"
    alert = failing(rules, rollout, facts.firing)
    if alert is not None:
        return wrong(alert)
    limit = staging_limits.failing(facts.service, rollout, facts.telemetry.staging, facts.now_s)
    if limit:
        return limit
    if judgement is not None and judgement.missing and rollout.bad_looks > GONE_LOOKS:
        return f"no data after a look that was watched: {judgement.why}"
    if rules.judge.no_data is NoData.ROLLBACK and rollout.no_data_s > rules.judge.no_data_limit_s:
        return f"no data for {duration(rollout.no_data_s)} (limit {duration(rules.judge.no_data_limit_s)})"
    step = facts.targets.step
    failed = [host for host in step if now.standings.get(host) is Standing.FAILED]
    if _over(facts, len(failed)):
        return f"the deploy failed on {len(failed)} of {len(step)} hosts: {some(failed)}{_cause(facts, failed)}"
    if rollout.sick_s > rules.deploy.deadline_s:
        sick = [host for host in step if now.standings.get(host) is Standing.SICK]
        return f"{len(sick)} of {len(step)} hosts not healthy for {duration(rollout.sick_s)}: {some(sick)}"
    return ""


def _cause(facts: Facts, failed: Sequence[str]) -> str:
    """Why the deploy failed on the first of the hosts that is known to say so."""
    for host in failed:
        now, why = facts.telemetry.seen.get(host), facts.journal.cause(facts.rollout.id, host)
        if not why and isinstance(now, HostState) and now.result is Result.FAILED:
            why = now.detail if now.operation.startswith(f"{facts.rollout.id}.") else ""
        if why:
            return f": {why}" if len(failed) == 1 else f"; {host}: {why}"
    return ""


def _untaken(facts: Facts) -> bool:
    """Whether no host has ever run the revision, and none was changed by being told to."""
    rollout, hosts = facts.rollout, [host.name for host in facts.service.hosts]
    first = rollout.phase is Phase.STAGING_DEPLOY
    return first and not facts.telemetry.on(hosts, rollout.revision) and facts.journal.untaken(rollout.id)


def _restored(facts: Facts, now: Work) -> tuple[Signal | None, str]:
    """Back once every touched host is; those that cannot be reached hold it up for a deadline, not for ever."""
    rest = [host for host, standing in now.standings.items() if standing is not Standing.THERE]
    if not rest:
        return Signal.RESTORED, facts.rollout.why
    over = facts.rollout.stalled_s > facts.service.rules.deploy.deadline_s
    if over and all(now.standings[host] in NOT_THERE for host in rest):
        return Signal.RESTORED, f"{facts.rollout.why}; not restored, told as they return: {some(rest)}"
    return None, ""


def _due(facts: Facts, found: tuple[Gate, ...]) -> tuple[CheckRule, ...]:
    """Staging checks that have not run for this build, or failed long enough ago; none that could hit production."""
    if facts.rollout.phase is not Phase.STAGING_CHECKS or facts.rollout.pause is not None:
        return ()
    if not open_(gate for gate in found if gate.name == isolation.NAME):
        return ()
    known = {result.name for result in facts.rollout.checks}
    rules = run_by_machine(facts.service.rules.checks)
    return tuple(rule for rule in rules if rule.name not in known or rule.name in facts.due)
