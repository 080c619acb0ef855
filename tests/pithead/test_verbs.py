"""The verbs on a controller in memory: what they print, what they send, how they end."""

import asyncio
import io
import json
from argparse import Namespace
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from pipeline.commands import Command, Receipt, Refused, Verb
from pipeline.events import AUTO, Event
from pipeline.ports import ControllerLost
from pipeline.view import Asks, FleetView, Proposal, ServiceView, State
from pithead.exits import Exit, Failure
from pithead.out import Out
from pithead.parser import parser
from pithead.verbs import act, history, status, submit
from tests.tui.fakes import NOW, FakeRoom
from tests.tui.samples import row, sample_events, sample_fleet, sample_service

HOSTILE = "\x1b]0;owned\x07 \x9b2J \u202eevil \x7f"


class Heard(Out):
    """`Out` that remembers."""

    def __init__(self) -> None:
        self._out, self._err = io.StringIO(), io.StringIO()
        self._written = asyncio.Event()
        super().__init__(self._out, self._err)

    def line(self, text: str = "") -> None:
        super().line(text)
        self._written.set()

    async def more_than(self, count: int) -> int:
        """How many lines there are, once there are more than `count`."""
        while len(self.lines) <= count:
            self._written.clear()
            await self._written.wait()
        return len(self.lines)

    @property
    def lines(self) -> list[str]:
        return self._out.getvalue().splitlines()

    @property
    def errors(self) -> list[str]:
        return self._err.getvalue().splitlines()


@pytest.fixture
def out() -> Heard:
    return Heard()


def typed(*words: str) -> Namespace:
    return parser().parse_args(words)


def now() -> datetime:
    return NOW


def room(**more: object) -> FakeRoom:
    fleet = sample_fleet()
    return FakeRoom(fleet, {"checkout-api": sample_service()}, sample_events(), **more)  # type: ignore[arg-type]


def never(_: str) -> str:
    raise AssertionError("nobody is asked")


# status


async def test_status_is_a_line_a_service_under_a_head(out: Heard) -> None:
    assert await status.run(typed("status"), room(), out, now) == Exit.DONE
    assert len(out.lines) == 1 + len(sample_fleet().services)
    assert out.lines[0].split() == ["SERVICE", "STATE", "VERDICT", "STAGING", "CANARY", "PROD", "BUDGET", "WHY"]
    assert "checkout-api  " in out.lines[2]


async def test_status_in_json_is_the_view_itself(out: Heard) -> None:
    await status.run(typed("status", "--json"), room(), out, now)
    told = json.loads("\n".join(out.lines))
    assert [service["name"] for service in told["services"]] == [each.name for each in sample_fleet().services]
    assert told["services"][0]["state"] in set(State)


async def test_status_of_one_service_is_its_page(out: Heard) -> None:
    assert await status.run(typed("status", "checkout-api"), room(), out, now) == Exit.DONE
    assert out.lines[0].startswith("checkout-api  BAKE  WATCH")
    assert any(gate.name in line for gate in sample_service().gates for line in out.lines)


async def test_status_of_an_unknown_service_is_refused(out: Heard) -> None:
    with pytest.raises(Refused):
        await status.run(typed("status", "nowhere"), room(), out, now)


async def test_an_old_view_is_shown_and_never_taken_for_a_fresh_one(out: Heard) -> None:
    later = NOW + timedelta(minutes=2)
    assert await status.run(typed("status"), room(), out, lambda: later) == Exit.UNKNOWN
    assert len(out.lines) > 1
    assert "silent for 2 min" in out.errors[0]


async def test_watch_tells_only_what_changed(out: Heard) -> None:
    before = sample_fleet()
    paused = replace(before.services[0], state=State.PAUSED, why="paused by ana")
    after = replace(before, sequence=before.sequence + 1, services=(paused, *before.services[1:]))
    watched = room()
    following = asyncio.ensure_future(status.run(typed("status", "--watch"), watched, out, now))
    shown = await out.more_than(0)
    watched.publish(after)
    await out.more_than(shown)
    (line,) = out.lines[shown:]
    assert line.startswith(f"{paused.name} {paused.revision} PAUSED: paused by ana")
    watched.lose()
    with pytest.raises(ControllerLost):
        await following


async def test_hostile_text_from_a_host_is_printed_harmlessly(out: Heard) -> None:
    evil = row("cart", State.HOLD, HOSTILE)
    fleet = FleetView(NOW, 1, 5.0, (evil,), notices=(HOSTILE,))
    for words in (["status"], ["status", "--json"]):
        await status.run(typed(*words), FakeRoom(fleet), out, now)
    said = "".join(out.lines + out.errors)
    assert said.isprintable()
    assert "cart" in said


# submit


def submitted(state: State, release: str, action: str, version: int = 1) -> ServiceView:
    event = Event(NOW, AUTO, "cart", "cart-1", "r2", action, f"{action} it is")
    return replace(
        sample_service(),
        row=row("cart", state, f"now {state}", release=release, revision="r2" if release else "", version=version),
        timeline=(event,),
    )


class Pipeline(FakeRoom):
    """A room in which `cart` walks through `stages` once it is submitted."""

    def __init__(self, *stages: ServiceView | Exception) -> None:
        super().__init__(sample_fleet(), {})
        self._stages = stages

    async def send(self, command: Command) -> Receipt:
        await super().send(command)
        return Receipt("cart", "cart-1", "cart r2 is queued as cart-1")

    async def service(self, name: str):  # type: ignore[no-untyped-def,override]
        assert name == "cart"
        while self._stages:
            stage, *rest = self._stages
            self._stages = tuple(rest)
            if isinstance(stage, Exception):
                raise stage
            yield stage


async def test_submit_sends_the_revision_and_prints_the_receipt(out: Heard) -> None:
    asked = room()
    assert await submit.run(typed("submit", "cart", "r2", "--reason", "sale"), asked, out) == Exit.DONE
    (command,) = asked.sent
    assert (command.verb, command.service, command.revision, command.reason) == (Verb.SUBMIT, "cart", "r2", "sale")
    assert len(command.request) == 32
    assert out.lines == ["cart: submit taken"]


async def test_waiting_for_a_settled_release_ends_with_0(out: Heard) -> None:
    asked = Pipeline(
        submitted(State.STAGE, "cart-1", "staging"),
        submitted(State.STAGE, "cart-1", "staging"),
        submitted(State.BAKE, "cart-1", "canary", 2),
        submitted(State.STEADY, "", "settled"),
    )
    assert await submit.run(typed("submit", "cart", "r2", "--wait"), asked, out) == Exit.DONE
    assert out.lines == [
        "cart r2 is queued as cart-1",
        "cart r2 STAGE: now STAGE",
        "cart r2 BAKE: now BAKE",
        "cart r2 settled: settled it is",
    ]


async def test_waiting_for_a_release_that_goes_back_ends_with_1(out: Heard) -> None:
    asked = Pipeline(submitted(State.BACK, "cart-1", "rollback"), submitted(State.LOCK, "", "rollback"))
    assert await submit.run(typed("submit", "cart", "r2", "--wait", "--json"), asked, out) == Exit.REFUSED
    assert json.loads(out.lines[-1])["settled"] is False


async def test_a_view_from_before_the_submit_does_not_end_the_wait(out: Heard) -> None:
    before = replace(submitted(State.STEADY, "", "settled"), timeline=())
    asked = Pipeline(before, submitted(State.STEADY, "", "settled"))
    assert await submit.run(typed("submit", "cart", "r2", "--wait"), asked, out) == Exit.DONE
    assert len(out.lines) == 2


async def test_a_controller_that_comes_back_is_followed_on(out: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submit, "AGAIN_S", 0.0)
    asked = Pipeline(ControllerLost("cut"), submitted(State.STEADY, "", "settled"))
    assert await submit.run(typed("submit", "cart", "r2", "--wait"), asked, out) == Exit.DONE
    assert "the release goes on" in out.errors[0]


async def test_a_wait_that_takes_too_long_is_unknown(out: Heard) -> None:
    view = submitted(State.BAKE, "cart-1", "canary")
    asked = room()
    asked.services["cart"] = view
    asked.send = Pipeline().send  # type: ignore[method-assign]
    assert await submit.run(typed("submit", "cart", "r2", "--wait", "--timeout", "1"), asked, out) == Exit.UNKNOWN


@pytest.mark.parametrize("words", [("submit", "-cart", "r2"), ("submit", "cart", "r 2"), ("submit", "cart", "")])
async def test_what_is_no_name_is_never_sent(words: tuple[str, ...], out: Heard) -> None:
    asked = room()
    with pytest.raises(Failure) as told:
        args = typed(words[0], "--", *words[1:])
        await submit.run(args, asked, out)
    assert told.value.code == Exit.USAGE
    assert asked.sent == []


# promote, pause, resume, rollback, cancel


def proposed(verb: Verb, *, allowed: bool = True, asks: Asks = Asks.NAME) -> Proposal:
    rows = (("from", "canary"), ("to", "production")) if allowed else (("why", "soak"), ("lifts", "in 6 s"))
    return Proposal(verb, "checkout-api", "checkout-api-7", 12, "Promote it?", rows, allowed, asks)


async def test_promote_is_shown_in_full_and_names_the_version_that_was_seen(out: Heard) -> None:
    asked = room()
    asked.proposals[Verb.PROMOTE, "checkout-api"] = proposed(Verb.PROMOTE)
    assert await act.run(typed("promote", "checkout-api"), asked, out, lambda _: "checkout-api") == Exit.DONE
    (command,) = asked.sent
    assert (command.release, command.version) == ("checkout-api-7", 12)
    assert out.errors == ["Promote it?", "  from  canary", "  to    production"]


@pytest.mark.parametrize(("asks", "answer"), [(Asks.NAME, "y"), (Asks.NAME, ""), (Asks.YES, "n"), (Asks.YES, "")])
async def test_what_is_not_confirmed_is_not_sent(asks: Asks, answer: str, out: Heard) -> None:
    asked = room()
    asked.proposals[Verb.PROMOTE, "checkout-api"] = proposed(Verb.PROMOTE, asks=asks)
    with pytest.raises(Failure, match="not confirmed"):
        await act.run(typed("promote", "checkout-api"), asked, out, lambda _: answer)
    assert asked.sent == []


async def test_what_is_not_allowed_is_told_with_its_reason_and_nobody_is_asked(out: Heard) -> None:
    asked = room()
    asked.proposals[Verb.PROMOTE, "checkout-api"] = proposed(Verb.PROMOTE, allowed=False)
    with pytest.raises(Failure, match="promote checkout-api: soak: in 6 s"):
        await act.run(typed("promote", "checkout-api"), asked, out, never)


async def test_another_release_than_the_one_meant_is_not_touched(out: Heard) -> None:
    asked = room()
    asked.proposals[Verb.ROLLBACK, "checkout-api"] = proposed(Verb.ROLLBACK)
    with pytest.raises(Failure, match="the release at hand is checkout-api-7, not checkout-api-6"):
        await act.run(typed("rollback", "checkout-api", "--release", "checkout-api-6"), asked, out, never)
    assert asked.sent == []


@pytest.mark.parametrize("verb", ["promote", "resume"])
async def test_forward_acts_name_the_version_at_hand_also_without_being_asked(verb: str, out: Heard) -> None:
    asked = room()
    words = [verb, "checkout-api", *(["--yes"] if verb == "promote" else [])]
    assert await act.run(typed(*words), asked, out, never) == Exit.DONE
    at_hand = sample_service().row
    assert (asked.sent[0].release, asked.sent[0].version) == (at_hand.release, at_hand.version)


@pytest.mark.parametrize("words", [("pause", "checkout-api"), ("rollback", "checkout-api", "--yes")])
async def test_the_safe_direction_asks_nothing_first(words: tuple[str, ...], out: Heard) -> None:
    asked = FakeRoom()
    assert await act.run(typed(*words, "--reason", "smoke", "--json"), asked, out, never) == Exit.DONE
    (command,) = asked.sent
    assert (command.verb, command.version, command.reason) == (Verb(words[0]), None, "smoke")
    assert json.loads(out.lines[0])["service"] == "checkout-api"


async def test_without_a_terminal_a_dangerous_verb_asks_for_yes(out: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("checkout-api\n"))
    asked = room()
    with pytest.raises(Failure, match="add --yes") as told:
        await act.run(typed("promote", "checkout-api"), asked, out)
    assert told.value.code == Exit.USAGE
    assert asked.sent == []


async def test_a_refusal_is_the_controllers_own_words(out: Heard) -> None:
    asked = room(read_only=True)
    with pytest.raises(Refused, match="read-only"):
        await act.run(typed("pause", "checkout-api"), asked, out, never)


# history


def long_history(count: int) -> tuple[Event, ...]:
    return tuple(
        Event(NOW, AUTO, "cart" if id_ % 2 else "auth", "x-1", "r1", "look", f"PASS {id_}", id=id_)
        for id_ in range(count, 0, -1)
    )


@pytest.mark.parametrize(("limit", "expected"), [(3, 3), (250, 250), (10_000, 450)])
async def test_history_is_newest_first_over_as_many_pages_as_it_takes(limit: int, expected: int, out: Heard) -> None:
    asked = FakeRoom(sample_fleet(), {}, long_history(450))
    assert await history.run(typed("history", "--limit", str(limit)), asked, out) == Exit.DONE
    assert len(out.lines) == expected
    assert out.lines[0].endswith("look: PASS 450")


async def test_history_with_evidence_prints_what_a_failed_check_printed(out: Heard) -> None:
    failed = Event(
        NOW, AUTO, "cart", "cart-1", "r1", "gate", "check unit failed: exit 1", ("3 passed", "1 failed"), id=1
    )
    asked = FakeRoom(sample_fleet(), {}, (failed,))
    await history.run(typed("history", "cart"), asked, out)
    assert len(out.lines) == 1
    await history.run(typed("history", "cart", "--evidence"), asked, out)
    assert out.lines[2:] == ["    3 passed", "    1 failed"]


async def test_history_in_json_is_a_line_an_event(out: Heard) -> None:
    asked = FakeRoom(sample_fleet(), {}, long_history(10))
    await history.run(typed("history", "cart", "--json", "--text", "PASS 7"), asked, out)
    (line,) = out.lines
    told = json.loads(line)
    assert (told["id"], told["service"], told["who"]["name"]) == (7, "cart", "auto")


# what is printed


def test_numbers_that_are_none_are_null_and_not_nan(out: Heard) -> None:
    out.json({"a": float("nan"), "b": [float("inf")], "c": 1.5, "d": "\x7f\x9b"})
    assert json.loads(out.lines[0]) == {"a": None, "b": [None], "c": 1.5, "d": "\x7f\x9b"}
    assert out.lines[0].isascii()
    assert out.lines[0].isprintable()


def test_a_terminal_without_unicode_still_gets_every_line() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    Out(stream).line("p99 \u2265 3 \u00b5s")
    assert raw.getvalue() == b"p99 \\u2265 3 \\xb5s\n"


@pytest.mark.parametrize("verb", ["promote", "rollback", "cancel", "pause"])
async def test_a_read_only_act_is_refused_before_anybody_is_asked(verb: str, out: Heard) -> None:
    asked = room()
    with pytest.raises(Failure, match="--read-only changes nothing"):
        await act.run(typed("--read-only", verb, "cart"), asked, out, never)
    assert asked.sent == []
