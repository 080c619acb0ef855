"""`lock`, `reserve`, `attest`, `incident`, `breakglass`, ...: what is typed, and the command that is sent."""

import argparse
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.commands import OF_RELEASES, Command, Refused, Verb
from pipeline.text import plain
from pipeline.view import Asks, FleetView, Proposal, State
from pithead import cli
from pithead.exits import Exit, Failure
from pithead.parsing_docket import CONFIRMED_PAPERS, PAPERS, instant, span
from pithead.verbs import paper
from tests.pithead.test_verbs import HOSTILE, Heard, never, typed
from tests.tui.fakes import NOW, FakeRoom
from tests.tui.samples import row

END = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FLEET = FleetView(NOW, 1, 5.0, (row("web", State.STEADY, "steady"),))
UNTIL = "2026-03-01T13:00+01:00"


@pytest.fixture
def out() -> Heard:
    return Heard()


async def sent(out: Heard, *words: str, room: FakeRoom | None = None) -> Command:
    asked = room or FakeRoom()
    assert await paper.run(typed(*words), asked, out, never, lambda: NOW) == Exit.DONE
    (command,) = asked.sent
    return command


def test_every_paper_has_a_verb_on_the_command_line() -> None:
    assert set(PAPERS) == {verb.value for verb in set(Verb) - OF_RELEASES}
    assert set(PAPERS) <= set(cli.ASKING)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("lock", "web", "--reason", "sale"), {"reason": "sale"}),
        (("lock", "web", "--reason", "sale", "--for", "2h"), {"reason": "sale", "end": NOW + timedelta(hours=2)}),
        (("lock", "web", "--reason", "sale", "--until", UNTIL), {"reason": "sale", "end": END}),
        (("unlock", "web"), {}),
        (("unlock", "web", "lock-3", "--reason", "over"), {"subject": "lock-3", "reason": "over"}),
        (
            ("reserve", "web", "--also", "cart", "--also", "tax", "--for", "1d", "--reason", "move", "--queue"),
            {"also": ("cart", "tax"), "queue": True, "reason": "move", "end": NOW + timedelta(days=1)},
        ),
        (
            ("reserve", "web", "--from", UNTIL, "--for", "30m", "--reason", "move"),
            {"start": END, "end": END + timedelta(minutes=30), "reason": "move"},
        ),
        (("release", "web"), {}),
        (("release", "web", "res-1"), {"subject": "res-1"}),
        (
            ("attest", "web", "CAT-2", "--reason", "drill", "--evidence", "https://wiki/x?y=1", "--for", "90d"),
            {"subject": "CAT-2", "reason": "drill", "evidence": "https://wiki/x?y=1", "end": NOW + timedelta(days=90)},
        ),
        (
            ("attest", "web", "eyes", "--revision", "r9", "--reason", "looked"),
            {"subject": "eyes", "revision": "r9", "reason": "looked"},
        ),
        (
            ("waive", "web", "CAT-2", "--until", "2026-03-01T12:00Z", "--reason", "moving"),
            {"subject": "CAT-2", "end": END, "reason": "moving"},
        ),
        (("incident", "web", "sev1", "--reason", "down"), {"subject": "sev1", "reason": "down"}),
        (("close", "web"), {}),
        (("breakglass", "web", "inc-2", "--reason", "fix", "--yes"), {"subject": "inc-2", "reason": "fix"}),
        (("approve", "web", "pass-1", "--yes"), {"subject": "pass-1"}),
        (
            ("securityfix", "web", "r9", "--advisory", "CVE-2026-1", "--reason", "leak", "--for", "1d", "--yes"),
            {"revision": "r9", "evidence": "CVE-2026-1", "reason": "leak", "end": NOW + timedelta(days=1)},
        ),
        (
            ("correct", "web", "exclude", "--from", "2026-01-09T09:00Z", "--for", "12m", "--reason", "provider",
             "--evidence", "INC-7", "--yes"),
            {"subject": "exclude", "start": datetime(2026, 1, 9, 9, 0, tzinfo=UTC),
             "end": datetime(2026, 1, 9, 9, 12, tzinfo=UTC), "reason": "provider", "evidence": "INC-7"},
        ),
        (("revoke", "web", "att-1"), {"subject": "att-1"}),
        (("review", "web", "pass-1", "--reason", "read the log"), {"subject": "pass-1", "reason": "read the log"}),
    ],
)  # fmt: skip
async def test_what_is_typed_is_what_is_sent(words: tuple[str, ...], expected: dict[str, object], out: Heard) -> None:
    command = await sent(out, *words)
    assert len(command.request) == 32
    assert replace(command, request="") == Command(Verb(words[0]), "web", "", **expected)  # type: ignore[arg-type]
    assert out.lines == [f"web: {words[0]} taken"]


async def test_in_json_the_receipt_is_printed(out: Heard) -> None:
    await sent(out, "close", "web", "--json")
    assert json.loads(out.lines[0])["service"] == "web"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("lock", "web"), "--reason"),
        (("reserve", "web", "--reason", "x"), "--for --until"),
        (("reserve", "web", "--for", "1h"), "--reason"),
        (("lock", "web", "--reason", "x", "--for", "1h", "--until", UNTIL), "not allowed with"),
        (("waive", "web", "CAT-2", "--reason", "x"), "--for --until"),
        (("attest", "web", "--reason", "x"), "ROW"),
        (("incident", "web", "--reason", "x"), "SEVERITY"),
        (("correct", "web", "bad", "--from", UNTIL, "--for", "1h", "--reason", "x"), "--evidence"),
        (("correct", "web", "bad", "--for", "1h", "--reason", "x", "--evidence", "y"), "--from"),
        (("review", "web", "pass-1"), "--reason"),
        (("breakglass", "web"), "--reason"),
        (("securityfix", "web", "--advisory", "CVE-2026-1", "--reason", "x"), "REVISION"),
        (("securityfix", "web", "r9", "--reason", "x"), "--advisory"),
        (("lock", "web", "--reason", "x", "--until", "2026-03-01T12:00"), "expected a time with its zone"),
        (("lock", "web", "--reason", "x", "--until", "2026-03-01"), "expected a time with its zone"),
        (("lock", "web", "--reason", "x", "--until", "noon"), "expected a time"),
        (("lock", "web", "--reason", "x", "--until", "0001-01-01T00:00+05:00"), "expected a time"),
        (("lock", "web", "--reason", "x", "--for", "2"), "expected a span"),
        (("lock", "web", "--reason", "x", "--for", "4000d"), "at most 3660d"),
        (("unlock", "web", "--for", "2h"), "unrecognized"),
        (("lock", "web", "--reason", "x", "--for", HOSTILE), "expected a span"),
        (("lock", "web", "--reason", "x", "--until", HOSTILE), "expected a time"),
    ],
)
def test_what_is_missing_or_makes_no_sense_is_said_before_anything_is_sent(words: tuple[str, ...], why: str) -> None:
    with pytest.raises(Failure) as told:
        typed(*words)
    assert told.value.code == Exit.USAGE
    assert why in str(told.value)
    assert plain(str(told.value), 10_000) == str(told.value)


@pytest.mark.parametrize(
    "words",
    [
        ("lock", HOSTILE, "--reason", "x"),
        ("unlock", "web", "lock 3"),
        ("attest", "web", HOSTILE, "--reason", "x"),
        ("attest", "web", "eyes", "--reason", "x", "--revision", "r 9"),
        ("reserve", "web", "--also", "a/b", "--for", "1h", "--reason", "x"),
        ("reserve", "web", "--from", UNTIL, "--until", "2026-03-01T12:00Z", "--reason", "x"),
        ("reserve", "web", "--from", "9999-12-31T23:00Z", "--for", "2h", "--reason", "x"),
    ],
)
async def test_what_is_no_name_and_no_span_of_time_is_never_sent(words: tuple[str, ...], out: Heard) -> None:
    room = FakeRoom()
    with pytest.raises(Failure) as told:
        await paper.run(typed(*words), room, out, never, lambda: NOW)
    assert told.value.code == Exit.USAGE
    assert plain(str(told.value), 10_000) == str(told.value)
    assert room.sent == []


@pytest.mark.parametrize("verb", sorted(CONFIRMED_PAPERS))
async def test_a_dangerous_paper_is_shown_in_full_and_confirmed(verb: str, out: Heard) -> None:
    more = {
        "correct": ["--from", "2026-01-09T09:00Z", "--for", "12m", "--evidence", "INC-7"],
        "securityfix": ["--advisory", "CVE-2026-1"],
    }.get(verb, [])
    words = [verb, "web", {"correct": "bad", "approve": "pass-1"}.get(verb, "inc-2"), "--reason", "why", *more]
    room = FakeRoom(FLEET)
    proposal = Proposal(Verb(verb), "web", "", 0, "Break glass?", (("skips", "waiting"),), True, Asks.NAME)
    room.proposals[Verb(verb), "web"] = proposal
    with pytest.raises(Failure, match="not confirmed"):
        await paper.run(typed(*words), room, out, lambda _: "no", lambda: NOW)
    assert room.sent == []
    assert await paper.run(typed(*words), room, out, lambda _: "web", lambda: NOW) == Exit.DONE
    fix = " (CVE-2026-1)" if verb == "securityfix" else ""
    assert out.errors[0] == f"{verb} web {words[2]}{fix}: why"
    assert "  skips  waiting" in out.errors
    if verb == "correct":
        assert out.errors[1] == "  from 2026-01-09 09:00:00Z to 2026-01-09 09:12:00Z, 12 min"


@pytest.mark.parametrize("verb", ["breakglass", "approve"])
async def test_a_paper_that_is_not_allowed_is_told_with_its_reason_and_nobody_is_asked(verb: str, out: Heard) -> None:
    room = FakeRoom(FLEET)
    rows = (("why", "no severe incident is open"), ("lifts", "declare it first"))
    room.proposals[Verb(verb), "web"] = Proposal(Verb(verb), "web", "", 0, "Not allowed", rows, False)
    with pytest.raises(Failure, match=f"{verb} web: no severe incident is open: declare it first"):
        await paper.run(typed(verb, "web", "--reason", "x"), room, out, never, lambda: NOW)
    assert (room.sent, out.lines, out.errors) == ([], [], [])


async def test_break_glass_in_an_incident_of_another_service_is_for_the_controller_to_judge(out: Heard) -> None:
    room = FakeRoom(FLEET)
    proposal = Proposal(Verb.BREAKGLASS, "web", "", 0, "Not allowed", (("why", "no incident of web"),), False)
    room.proposals[Verb.BREAKGLASS, "web"] = proposal
    words = typed("breakglass", "web", "inc-7", "--reason", "x")
    assert await paper.run(words, room, out, lambda _: "web", lambda: NOW) == Exit.DONE
    assert room.sent[0].subject == "inc-7"


async def test_without_a_terminal_a_dangerous_paper_asks_for_yes(out: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("web\n"))
    room = FakeRoom(FLEET)
    with pytest.raises(Failure, match="add --yes") as told:
        await paper.run(typed("breakglass", "web", "--reason", "x"), room, out)
    assert told.value.code == Exit.USAGE
    assert room.sent == []


async def test_a_refusal_of_a_paper_is_the_controllers_own_words(out: Heard) -> None:
    room = FakeRoom()
    room.refusal = Refused("approve web pass-1", "you asked for it yourself", "have somebody else approve it")
    with pytest.raises(Refused, match="you asked for it yourself"):
        await paper.run(typed("approve", "web", "pass-1", "--yes"), room, out, never)


@given(st.text(max_size=40))
def test_times_and_spans_are_read_or_refused_in_plain_text(text: str) -> None:
    for read in (instant, span):
        try:
            found = read(text)
        except argparse.ArgumentTypeError as error:
            assert plain(str(error), 10_000) == str(error)
        else:
            assert isinstance(found, float) or found.tzinfo is UTC


@given(st.datetimes(), st.integers(-14 * 60, 14 * 60))
def test_a_time_with_any_offset_is_the_same_instant_in_utc(wall: datetime, minutes: int) -> None:
    assume(2 <= wall.year <= 9_998)
    sign = "-" if minutes < 0 else "+"
    text = f"{wall.isoformat()}{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    assert instant(text) == wall.replace(tzinfo=UTC) - timedelta(minutes=minutes)


def test_a_span_is_written_as_in_the_configuration() -> None:
    assert [span(text) for text in ("2h30m", "1d12h", "90s", "1w")] == [9_000, 129_600, 90, 604_800]


@pytest.mark.parametrize("text", ["30m2h", "2h 30m", "2h30", "-2h", "0s", "4000d", "500ms"])
def test_a_span_that_nobody_can_mean_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="as 90s, 4m, 2h30m or 30d"):
        span(text)


@pytest.mark.parametrize("words", [("correct", "web", "bad", "--from", UNTIL, "--for", "1h", "--reason", "x",
                                    "--evidence", "y"), ("lock", "web", "--reason", "x")])  # fmt: skip
async def test_read_only_papers_are_refused_before_anybody_is_asked(words: tuple[str, ...], out: Heard) -> None:
    room = FakeRoom()
    with pytest.raises(Failure, match="--read-only changes nothing"):
        await paper.run(typed("--read-only", *words), room, out, never, lambda: NOW)
    assert room.sent == []
