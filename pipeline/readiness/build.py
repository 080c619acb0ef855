"""STB-2: this very build carries a commit and has passed its tests. A word about another build does not count."""

from collections.abc import Iterable, Mapping

from pipeline.docket import Attestation, CiResult
from pipeline.lifecycle import Rollout
from pipeline.readiness.facts import Found, Subject, fails, passes, unknown
from pipeline.words import some


def tested(of: Subject) -> Found:
    """By a result of CI of this revision (and digest), or by staging checks of the suites' names on this revision."""
    build, digest = of.facts.build, of.facts.seen.digest
    if digest is not None and digest.waits:
        return unknown(f"{build}: its digest is being read")
    said = next((one for one in reversed(of.ci) if one.revision == build), None)
    if said is not None and digest is not None and digest.value and said.digest != digest.value:
        if said.digest:
            return fails(
                f"{build}: CI tested sha256 {said.digest[:12]}, but the build to deploy is {digest.value[:12]}"
            )
        return unknown(f"{build}: the result of CI names no digest; the build to deploy is sha256 {digest.value[:12]}")
    results = {**_checked(of, build), **(dict(said.suites) if said is not None else {})}
    wanted = of.service.rules.readiness.suites
    failed = [suite for suite, passed in results.items() if not passed]
    if failed:
        return fails(f"{build} failed {some(failed)}{_by(said)}")
    missing = [suite for suite in wanted if suite not in results]
    if missing:
        return unknown(f"{build}: nobody knows whether it passed {some(missing)}")
    if said is None:
        return unknown(f"{build} passed {some(list(wanted))} in staging; no result of CI names its commit")
    unread = f"; its digest is not known: {digest.fault}" if digest is not None and not digest.value else ""
    return passes(f"{build} (commit {said.commit[:12]}) passed {some(list(wanted))}{_by(said)}{unread}")


def _checked(of: Subject, build: str) -> Mapping[str, bool]:
    """What staging checks with a suite's name said of this revision."""
    release = next((one for one in of.facts.releases if one.revision == build and one.checks), None)
    wanted = of.service.rules.readiness.suites
    return {} if release is None else {one.name: one.passed for one in release.checks if one.name in wanted}


def _by(said: CiResult | None) -> str:
    return f" ({said.url})" if said is not None and said.url else ""


def at_hand(rollout: Rollout | None, stable: str, words: Iterable[Attestation | CiResult]) -> str:
    """The build that the list is about: the one on its way, else one that was vouched for since, else what runs."""
    if rollout is not None and not rollout.ended:
        return rollout.revision
    since = rollout.submitted if rollout is not None else None
    named = [one for one in words if one.revision and (since is None or one.at > since)]
    return max(named, key=lambda one: one.at).revision if named else stable
