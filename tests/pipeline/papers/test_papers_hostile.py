"""Whatever a command says, it is taken or refused, in plain words, and nothing else happens."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from paper_desk import ANA, BEN, DAY, HOUR, NOON, Desk, rollout

from pipeline.commands import OF_RELEASES, Command, Refused, Verb
from pipeline.docket import Docket, services_of
from pipeline.events import Who
from pipeline.papers import TAKERS
from pipeline.papers.proposing import proposal
from pipeline.release.requests import take
from pipeline.text import plain
from pipeline.view import Proposal

WORDS = "sev1 sev3 exclude good bad CAT-3 coverage looks-right lock-1 res-1 att-1 inc-1 pass-1 fix-1 lock-x -1"
SUBJECTS = st.sampled_from(["", *WORDS.split()]) | st.text(max_size=12)
TIMES = (
    st.none()
    | st.sampled_from([NOON, NOON - HOUR, NOON + HOUR, NOON + DAY, NOON - DAY, datetime.max.replace(tzinfo=UTC)])
    | st.datetimes()
    | st.datetimes(timezones=st.just(UTC))
)
COMMANDS = st.builds(
    Command,
    st.sampled_from([verb for verb in Verb if verb not in OF_RELEASES]),
    st.just("checkout"),
    st.just("r"),
    revision=st.sampled_from(["", "r2", "-rf", "\x1b"]),
    reason=st.sampled_from(["", "because"]) | st.text(max_size=300),
    subject=SUBJECTS,
    start=TIMES,
    end=TIMES,
    evidence=st.text(max_size=20),
    also=st.lists(st.sampled_from(["pricing", "nosuch", "\x1b[2J"]), max_size=2).map(tuple),
    queue=st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(COMMANDS, st.sampled_from([ANA, BEN, Who("eva")])), max_size=12))
def test_any_command_is_taken_or_refused_in_plain_words(asked: list[tuple[Command, Who]]) -> None:
    desk = Desk(rollout=rollout())
    for command, who in asked:
        before = desk.docket
        try:
            taken = take(command, desk.situation(), who)
        except Refused as no:
            for words in (no.what, no.why, no.mend):
                assert words
                assert plain(words, 2_000) == words
            continue
        assert taken.papers
        assert taken.rollouts == ()
        assert plain(taken.receipt.said) == taken.receipt.said
        for event in (taken.event, *taken.more):
            assert plain(event.detail) == event.detail
            assert (event.who, event.action) == (who, command.verb.value)
        desk.docket = before.with_papers(taken.papers)
        for paper in taken.papers:
            assert "checkout" in services_of(paper) or command.verb in {Verb.CLOSE, Verb.RELEASE}
        assert len({paper.id for paper in desk.docket.all()}) == len(desk.docket.all())
        desk.later(HOUR / 4)
    assert desk.docket == Docket().with_papers(desk.docket.all())


def test_every_verb_of_papers_has_a_taker_and_a_proposal() -> None:
    for verb in Verb:
        assert (verb in TAKERS) is (verb not in OF_RELEASES)
        if verb not in OF_RELEASES:
            assert isinstance(proposal(verb, Desk().situation()), Proposal)
