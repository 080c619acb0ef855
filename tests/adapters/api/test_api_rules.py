"""Gates, budgets, readiness and papers over the API, and the commands that lay papers down."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from api_desk import SmallDesk
from hypothesis import given
from hypothesis import strategies as st

from adapters import http
from adapters.api import inbound
from adapters.api.client import ApiRoom
from adapters.api.server import ApiServer
from pipeline.commands import OF_RELEASES, Command, Refused, Verb
from pipeline.docket import Docket
from pipeline.text import LONGEST, is_identifier, plain
from tests.pithead.rules_samples import budget_report, docket, gate_report, readiness_report

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GOOD = {"verb": "lock", "service": "web", "request": "q1"}


@pytest.fixture
def knowing(desk: SmallDesk) -> SmallDesk:
    desk.gates["web"] = gate_report("web")
    desk.budgets["web"] = budget_report("web")
    desk.lists["web"] = readiness_report("web")
    desk.papers = {"": docket(), "web": Docket(docket().locks)}
    return desk


async def test_every_report_comes_as_it_is_and_a_viewer_may_read_it(
    knowing: SmallDesk, room: ApiRoom, viewer: ApiRoom
) -> None:
    for line in (room, viewer):
        assert await line.gate("web") == gate_report("web")
        assert await line.budget("web") == budget_report("web")
        assert await line.readiness("web") == readiness_report("web")
        assert await line.docket("web") == knowing.papers["web"]
        assert await line.docket() == docket()


@pytest.mark.parametrize("page", ["gate", "budget", "readiness", "docket"])
@pytest.mark.parametrize("name", ["nosuch", "%2e%2e%2fetc", "%1b%5b2J"])
async def test_of_an_unknown_service_there_is_no_report(
    server: ApiServer, run_dir: Path, knowing: SmallDesk, page: str, name: str
) -> None:
    async with http.client("http://pithead", uds=str(run_dir / "pithead.sock")) as client:
        reply = await client.get(f"/v1/services/{name}/{page}")
    assert reply.status_code == 404
    assert all(text.isprintable() for text in reply.json().values())


async def test_an_unknown_service_is_refused_in_the_controllers_words(knowing: SmallDesk, room: ApiRoom) -> None:
    for asked in (room.gate("nosuch"), room.budget("nosuch"), room.readiness("nosuch"), room.docket("nosuch")):
        with pytest.raises(Refused, match="no such service"):
            await asked


async def test_a_report_that_is_not_there_yet_and_a_broken_history_are_said(knowing: SmallDesk, room: ApiRoom) -> None:
    with pytest.raises(Refused, match="nothing is known of it yet"):
        await room.gate("search")
    knowing.broken = True
    with pytest.raises(Refused, match="the disk is full"):
        await room.budget("web")


@pytest.mark.parametrize("verb", sorted(set(Verb) - OF_RELEASES))
async def test_a_paper_arrives_with_every_field(desk: SmallDesk, room: ApiRoom, verb: Verb) -> None:
    command = Command(
        verb,
        "web",
        "q1",
        revision="r1",
        reason="why",
        subject="CAT-2",
        start=AT,
        end=AT + timedelta(hours=2),
        evidence="https://wiki/drill?a=b&c",
        also=("search", "pricing"),
        queue=True,
    )
    await room.send(command)
    assert desk.taken[0][0] == command


async def test_times_arrive_in_utc_and_words_cleaned(desk: SmallDesk, room: ApiRoom) -> None:
    berlin = timezone(timedelta(hours=1))
    await room.send(Command(Verb.LOCK, "web", "q1", end=AT.astimezone(berlin), evidence="a\x1b[2J\nb"))
    taken = desk.taken[0][0]
    assert (taken.end, taken.end and taken.end.tzinfo) == (AT, UTC)
    assert taken.evidence == "a\ufffd[2J b"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"end": "2026-03-01T12:00:00"}, "has no zone"),
        ({"start": "2026-03-01T12:00:00"}, "has no zone"),
        ({"end": "0001-01-01T00:00:00+05:00"}, "is no time of ours"),
        ({"end": "9999-12-31T23:00:00-05:00"}, "is no time of ours"),
        ({"end": 1_772_366_400}, "not understood"),
        ({"end": "tomorrow"}, "not understood"),
        ({"subject": "CAT 2"}, "subject 'CAT 2' is no name"),
        ({"subject": "-1"}, "is no name"),
        ({"subject": "\x1b[2J"}, "is no name"),
        ({"also": ["search", "a/../b"]}, "also 'a/../b' is no name"),
        ({"also": [""]}, "is no name"),
        ({"also": ["s"] * 101}, "names 101 services"),
        ({"also": "search"}, "not understood"),
        ({"queue": "yes"}, "not understood"),
        ({"queue": 1}, "not understood"),
        ({"evidence": "x" * 501}, "has 501 characters"),
        ({"evidence": None}, "not understood"),
    ],
)
def test_what_is_no_paper_goes_no_further(wrong: dict[str, object], why: str) -> None:
    with pytest.raises(inbound.Bad, match=why) as bad:
        inbound.command(json.dumps({**GOOD, **wrong}).encode())
    assert bad.value.status == 400
    assert str(bad.value).isprintable()


WORDS = st.text(max_size=20) | st.sampled_from(["web", "sev1", "lock-1"])
MOMENTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=14)), None]))


@given(
    st.sampled_from(Verb),
    WORDS,
    st.lists(WORDS, max_size=3),
    st.text(max_size=LONGEST + 9),
    MOMENTS | st.none(),
    MOMENTS | st.none(),
)
def test_whatever_is_taken_for_a_paper_is_clean(
    verb: Verb, subject: str, also: list[str], text: str, start: datetime | None, end: datetime | None
) -> None:
    said = {**GOOD, "verb": verb, "subject": subject, "also": also, "reason": text, "evidence": text}
    moments = {"start": start and start.isoformat(), "end": end and end.isoformat()}
    try:
        found = inbound.command(json.dumps({**said, **moments}).encode())
    except inbound.Bad as bad:
        assert bad.status == 400
        return
    assert all(is_identifier(name) for name in (*found.also, *([found.subject] if found.subject else [])))
    assert (plain(found.reason), plain(found.evidence)) == (found.reason, found.evidence)
    assert all(moment is None or moment.tzinfo is UTC for moment in (found.start, found.end))
