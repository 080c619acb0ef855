"""A word of CI comes with a submission, and is about that very build; so is a person's word for STB-2."""

from dataclasses import replace

import pytest
from paper_desk import NOON, Desk, rollout
from world import make_hosts

from pipeline.commands import CiSaid, Refused, Verb
from pipeline.lifecycle import Phase
from pipeline.premises import Premises
from pipeline.readiness.report import ReadinessReport
from pipeline.situation import Situation

SHA = "ab" * 32
SAID = CiSaid("r9", "4F2A91C", (("lint", True), ("unit", True)), f"sha256:{SHA}", "https://ci/77")


class Submitting(Desk):
    def situation(self, service: str = "checkout") -> Situation:
        found = super().situation(service)
        return replace(found, service=replace(found.service, hosts=make_hosts(4)))


def test_what_ci_says_is_kept_with_the_submission() -> None:
    desk = Submitting()
    taken = desk.ask(Verb.SUBMIT, revision="r9", ci=SAID)
    (made,) = desk.docket.ci
    assert (made.id, made.service, made.revision, made.by, made.at) == ("ci-1", "checkout", "r9", "ana", NOON)
    assert (made.commit, made.digest, made.url) == ("4f2a91c", SHA, "https://ci/77")
    assert made.suites == SAID.suites
    assert taken.rollouts[-1].phase is Phase.QUEUED


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"revision": "r8"}, "the result of CI is of r8"),
        ({"revision": ""}, "the result of CI is of no revision"),
        ({"suites": (("lint", True), ("unit", False))}, "CI says that it failed unit: mend it"),
        ({"suites": ()}, "has 0 suites"),
        ({"suites": (("a", True), ("a", True))}, "one of them twice"),
        ({"suites": (("\x1b[31m", True),)}, "is no suite's name"),
        ({"commit": "main"}, "main is no commit of 7 to 64 hex digits"),
        ({"digest": "sha256:beef"}, "sha256:beef is no SHA-256"),
    ],
)
def test_a_word_that_is_of_no_use_is_refused_with_the_submission(changes: dict[str, object], why: str) -> None:
    desk = Submitting()
    with pytest.raises(Refused) as no:
        desk.ask(Verb.SUBMIT, revision="r9", ci=replace(SAID, **changes))  # type: ignore[arg-type]
    assert why in str(no.value)
    assert str(no.value).startswith("submit checkout r9: ")
    assert desk.docket.ci == ()


def test_a_person_vouches_for_the_tests_of_one_build() -> None:
    desk = Desk(rollout=rollout(Phase.QUEUED, "r2"))
    desk.ask(Verb.ATTEST, "STB-2", reason="ci run 77", digest=SHA.upper())
    taken = desk.ask(Verb.ATTEST, "STB-2", reason="ci run 78", revision="r3")
    assert [(one.revision, one.digest) for one in desk.docket.attestations] == [("r2", SHA), ("r3", "")]
    assert "vouches for STB-2 of r3 until" in taken.receipt.said
    with pytest.raises(Refused, match="is no SHA-256"):
        desk.ask(Verb.ATTEST, "STB-2", reason="x", digest="beef")
    with pytest.raises(Refused, match="no build is in staging: name the one that was looked at: --revision"):
        Desk().ask(Verb.ATTEST, "STB-2", reason="x")


def test_a_digest_that_is_known_goes_with_the_word() -> None:
    report = ReadinessReport("checkout", NOON, True, (), "r2", SHA)
    desk = Desk(premises=Premises(readiness=report), rollout=rollout(Phase.QUEUED, "r2"))
    desk.ask(Verb.ATTEST, "STB-2", reason="ci run 77")
    desk.ask(Verb.ATTEST, "STB-2", reason="ci run 77", revision="r3")
    assert [one.digest for one in desk.docket.attestations] == [SHA, ""]
