"""Stability and reliability: where the code is, how it is built and released, how it comes back."""

from datetime import timedelta

from pipeline.lifecycle import Phase
from pipeline.readiness.facts import Found, Subject, fails, passes, unknown
from pipeline.words import some

RELEASES = 10
"""As many of the newest are looked at."""


def ownership(of: Subject) -> Found:
    """STB-1."""
    stated = of.service.rules.readiness
    missing = [key for key, value in (("repository", stated.repository), ("owner", stated.owner)) if not value]
    if missing:
        return fails(f"not stated: {' and '.join(missing)}")
    if of.service.team and of.service.team != stated.owner:
        return fails(f"two owners are stated: team {of.service.team}, owner {stated.owner}")
    return passes(f"{stated.repository}, {stated.owner}")


def stages(of: Subject) -> Found:
    """STB-3."""
    missing = [
        name for name, pool in (("staging", of.service.staging), ("production", of.service.production)) if not pool
    ]
    if missing:
        return fails(f"no {' and no '.join(missing)} host is known")
    ended = [one for one in of.facts.releases if one.phase is Phase.SETTLED][:RELEASES]
    skipped = [one.revision for one in ended if not one.canaries]
    if skipped:
        return fails(f"settled without a canary: {some(skipped)}")
    said = f"none of the last {len(ended)} releases skipped a stage" if ended else "no release has settled yet"
    return passes(f"staging, canary, production; {said}")


def exercised(of: Subject) -> Found:
    """REL-4: the way back was gone lately, and arrived."""
    days = of.service.rules.readiness.load_test_days
    back = [one for one in of.facts.releases if one.phase is Phase.ROLLED_BACK and not one.untaken]
    if not back:
        return unknown("no release has been rolled back yet")
    last = max(back, key=lambda one: one.since)
    when = f"{last.revision} was rolled back to {last.stable} on {last.since:%Y-%m-%d}"
    if of.now - last.since > timedelta(days=days):
        return fails(f"{when}, more than {days} days ago")
    if last.stragglers:
        return fails(f"{when}, and {some(list(last.stragglers))} did not come back")
    return passes(when)


def dependencies(of: Subject) -> Found:
    """REL-2."""
    known = of.service.rules.staging.dependencies
    if not known:
        return unknown("no dependency is stated")
    odd = [one.name for one in known if one.target is None or not (one.fallback or one.hard)]
    if odd:
        return fails(f"without an objective, or without a fallback that is not hard: {some(odd)}")
    return passes(f"{len(known)} stated, each with an objective and what is done without it")
