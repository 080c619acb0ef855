"""What a dangerous key would do, said before it is done; and why not, where it is not allowed."""

from collections.abc import Callable
from dataclasses import replace

from pipeline.commands import OF_RELEASES, Refused, Stretch, Verb
from pipeline.docket import Correction
from pipeline.gates import Answer
from pipeline.judge.verdict import Verdict
from pipeline.lifecycle import CANARY, PRODUCTION, STAGING, Phase, Rollout
from pipeline.model import Control
from pipeline.papers.corrections import stretched, unapproved
from pipeline.papers.proposing import proposal
from pipeline.policy.promotion import NEXT
from pipeline.policy.wording import at, count
from pipeline.ports import HistoryError
from pipeline.release.requests import moving, refuse_promote, rollback_of
from pipeline.service.station import Station
from pipeline.showing.present import differences
from pipeline.showing.service_page import production_waves
from pipeline.situation import Situation
from pipeline.view import Asks, Proposal
from pipeline.words import duration

FORETOLD = 5
"""Corrections of which a dialog says what they would change: each is a reading of the books."""
Rows = tuple[tuple[str, str], ...]


def propose(verb: Verb, station: Station, situation: Situation) -> Proposal:
    """Raises `Refused` where there is no release that `verb` could be about."""
    if verb is Verb.PROMOTE:
        return _promote(station, situation)
    if verb is Verb.ROLLBACK:
        return _rollback(station, situation)
    if verb not in OF_RELEASES:
        return proposal(verb, situation)
    rollout = moving(situation, verb)
    title = f"{verb.value.capitalize()} {rollout.service} {rollout.revision}?"
    return _proposal(verb, rollout, title, (("phase", rollout.phase.value),), allowed=True)


def foretold(
    proposal: Proposal, situation: Situation, about: Stretch | None, would_change: Callable[[Correction], str]
) -> Proposal:
    """With what a correction would change in the payback: each that waits for its second person, or one `about` that.

    As it was where that cannot be read.
    """
    name = situation.service.name
    asked: tuple[tuple[str, Correction], ...] = ()
    if proposal.verb is Verb.APPROVE:
        asked = tuple((one.id, one) for one in unapproved(situation.docket.of(name))[:FORETOLD])
    elif proposal.verb is Verb.CORRECT and about is not None:
        made = stretched(name, about, situation.now)
        asked = (("effect", made),) if made is not None else ()
    try:
        would = {row: would_change(one) for row, one in asked}
    except HistoryError:
        return proposal
    rows = tuple((key, f"{said}; {would[key]}" if would.get(key) else said) for key, said in proposal.rows)
    return replace(proposal, rows=rows)


def _promote(station: Station, situation: Situation) -> Proposal:
    rollout = moving(situation, Verb.PROMOTE)
    name = f"Promote {rollout.service} {rollout.revision}"
    try:
        refuse_promote(rollout, situation.gates)
    except Refused as no:
        rule, named, _ = no.why.partition(": ")
        held: Rows = (
            ("why", no.why),
            *((("rule", rule),) if named else ()),
            *_until(situation, rule),
            ("lifts", _lifts(situation, rule) or no.mend),
        )
        return _proposal(Verb.PROMOTE, rollout, f"{name}: not allowed", held, allowed=False)
    door = NEXT[rollout.phase]
    title = f"{name} to {'the next wave' if door == 'waves' else door}?"
    rows = (
        ("from", _from(station, rollout)),
        ("to", _to(station, rollout)),
        ("verdict", _verdict(station, rollout)),
        ("budget", _budget(station)),
        ("back", f"last stable {rollout.stable}; a rollback restarts {count(len(rollout.out), 'host')}"),
    )
    asks = Asks.YES if door == "canary" else Asks.NAME
    return _proposal(Verb.PROMOTE, rollout, title, rows, allowed=True, asks=asks)


def _until(situation: Situation, rule: str) -> Rows:
    """When the gate that is named lifts by itself, where that is known."""
    ends = [gate.until for gate in situation.gates if gate.name == rule and gate.until is not None]
    return tuple(("until", f"{at(end)} ({duration((end - situation.now).total_seconds())})") for end in ends[:1])


def _lifts(situation: Situation, rule: str) -> str:
    """What the gate that is named says; "" where no gate is."""
    return next((gate.lifts for gate in situation.gates if gate.name == rule and gate.answer is not Answer.PASS), "")


def _rollback(station: Station, situation: Situation) -> Proposal:
    try:
        rollout = rollback_of(situation)
    except Refused as no:
        if situation.rollout is None:
            raise
        title = f"Roll back {situation.service.name}: not allowed"
        rows: Rows = (("why", no.why), ("lifts", no.mend))
        return _proposal(Verb.ROLLBACK, situation.rollout, title, rows, allowed=False)
    if rollout.phase is Phase.QUEUED:
        effect = f"{rollout.revision} has not begun; it is cancelled"
    else:
        effect = f"at once, without gates; {rollout.revision} stays out until a newer revision is submitted"
    rows = (
        ("scope", _scope(station, rollout)),
        ("why", _verdict(station, rollout)),
        ("effect", effect),
    )
    title = f"Roll back {rollout.service} {rollout.revision} to {rollout.stable}?"
    if rollout.phase is Phase.QUEUED:
        title = f"Cancel {rollout.service} {rollout.revision}, which is queued?"
    return _proposal(Verb.ROLLBACK, rollout, title, rows, allowed=True)


def _proposal(
    verb: Verb, rollout: Rollout, title: str, rows: Rows, *, allowed: bool, asks: Asks = Asks.YES
) -> Proposal:
    return Proposal(verb, rollout.service, rollout.id, rollout.version, title, rows, allowed, asks)


def _from(station: Station, rollout: Rollout) -> str:
    of = len(station.service.production)
    if rollout.phase is Phase.STAGING_CHECKS:
        return f"staging ({len(station.service.staging)} hosts, {len(rollout.checks)} checks passed)"
    if rollout.phase is Phase.CANARY_BAKE:
        return f"canary {len(rollout.canaries) / of:.0%} ({_where(station, rollout.canaries)} of {of} hosts)"
    return f"wave {rollout.wave} ({len(rollout.out)} of {of} hosts)"


def _to(station: Station, rollout: Rollout) -> str:
    rules = station.service.rules
    if rollout.phase is Phase.STAGING_CHECKS:
        beside = "; as many others restart" if rules.judge.control is Control.BASELINE else ""
        return f"canary {rules.canary.share:.0%} of {len(station.service.production)} hosts, drawn at random{beside}"
    soak = f", {duration(rules.deploy.soak_s)} apart" if len(rules.waves) > 1 else ""
    return f"production {production_waves(station, rollout)}{soak}"


def _verdict(station: Station, rollout: Rollout) -> str:
    if rollout.phase in STAGING or station.judgement is None:
        return f"not judged yet; it is in {rollout.phase}"
    judgement = station.judgement
    said = judgement.why if judgement.verdict is Verdict.PASS else differences(judgement)
    return f"{judgement.verdict.upper()}  {said}"


def _budget(station: Station) -> str:
    budget = station.budget()
    left = "unknown" if budget.left is None else f"{int(100 * budget.left)}% left"
    burn = "" if budget.burn_1h is None else f", burn 1h {budget.burn_1h:.1f}"
    return f"{left} of {budget.window}{burn}"


def _scope(station: Station, rollout: Rollout) -> str:
    of = len(station.service.production)
    if rollout.phase in CANARY:
        canaries = count(len(rollout.canaries), "canary host")
        return f"{canaries} of {of} ({_where(station, rollout.canaries)}) and staging"
    if rollout.phase in PRODUCTION | {Phase.SETTLED}:
        return f"{len(rollout.out)} of {of} production hosts ({_where(station, rollout.out)}) and staging"
    return f"{count(len(station.service.staging), 'staging host')}; production is not touched"


def _where(station: Station, names: tuple[str, ...]) -> str:
    wanted = set(names)
    datacenters = [host.datacenter for host in station.service.production if host.name in wanted]
    return ", ".join(f"{name} {datacenters.count(name)}" for name in sorted(set(datacenters)))
