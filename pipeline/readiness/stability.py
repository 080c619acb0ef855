"""Stability and reliability: where the code is, how it is built and released, how it comes back."""

from datetime import timedelta

from pipeline.checks import CheckKind
from pipeline.lifecycle import Phase
from pipeline.readiness.facts import Found, Subject, fails, passes, unknown
from pipeline.words import some

RELEASES = 10
"""As many of the newest are looked at."""
HEALTH_S = 1.0


def ownership(of: Subject) -> Found:
    """STB-1."""
    stated = of.service.rules.readiness
    missing = [key for key, value in (("repository", stated.repository), ("owner", stated.owner)) if not value]
    if missing:
        return fails(f"not stated: {' and '.join(missing)}")
    if of.service.team and of.service.team != stated.owner:
        return fails(f"two owners are stated: team {of.service.team}, owner {stated.owner}")
    return passes(f"{stated.repository}, {stated.owner}")


def tested(of: Subject) -> Found:
    """STB-2: this very build's own checks; who built it is vouched for where no check says so."""
    checks = [rule for rule in of.service.rules.checks if rule.kind in {CheckKind.COMMAND, CheckKind.REPLAY}]
    if not checks:
        return unknown("no check of a build is configured but probes: nobody knows what its tests said")
    newest = next((one for one in of.facts.releases if one.checks), None)
    if newest is None:
        return unknown("no release has come to its checks yet")
    results = {result.name: result for result in newest.checks}
    missing = [rule.name for rule in checks if rule.name not in results]
    failed = [rule.name for rule in checks if rule.name in results and not results[rule.name].passed]
    if failed:
        return fails(f"{newest.revision}: failed {some(failed)}")
    if missing:
        return unknown(f"{newest.revision}: not known yet {some(missing)}")
    return passes(f"{newest.revision} passed {some([rule.name for rule in checks])}")


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


def health(of: Subject) -> Found:
    """REL-3: the health check answers within a second and is not the liveness check."""
    stated = of.service.rules.readiness
    if not stated.health_path:
        return fails("no health_path is stated")
    if stated.health_path == stated.liveness_path:
        return fails(f"health and liveness are the same check, {stated.health_path}")
    probe = next(
        (
            rule
            for rule in of.service.rules.checks
            if rule.kind is CheckKind.PROBE and rule.path == stated.health_path and rule.within_s is not None
        ),
        None,
    )
    if probe is None or probe.within_s is None or probe.within_s > HEALTH_S:
        return fails(f'no check asks {stated.health_path} with within = "{HEALTH_S:.0f}s" or less')
    result = next((result for one in of.facts.releases for result in one.checks if result.name == probe.name), None)
    if result is None:
        return unknown(f"check {probe.name} has not run yet")
    return passes(f"{probe.name}: {result.detail}") if result.passed else fails(f"{probe.name}: {result.detail}")


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
