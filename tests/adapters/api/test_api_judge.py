"""Trials, looks and recorded stretches over the API: exact, in pages that never hold up the controller."""

import asyncio
import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from api_desk import NOW, SmallDesk
from hypothesis import given, settings
from test_api_hostile import answer

from adapters.api import inbound, pages
from adapters.api.client import ApiRoom
from adapters.api.judged import Looks
from adapters.api.lax import laxly
from adapters.exact import to_json
from pipeline.checks import CheckKind, CheckRule
from pipeline.commands import Command, Receipt, Refused, Verb
from pipeline.judge.look import Calibration, LookRecord
from pipeline.judge.trial import TrialRecord
from pipeline.model import BudgetRules, Freeze, Host, JudgeRules, Pool, Rules, Service
from pipeline.ports import ControllerLost
from pithead.room import LazyRoom
from tests.adapters.history import judge_samples as samples
from tests.adapters.history.judge_samples import at, calibration, look_record, recorded, said, trial_record

GOOD = json.loads(to_json(calibration(service="web")))
SERVICE = Service(
    "web",
    (Host("fra1-01", "10.0.0.1:80", Pool.PRODUCTION, "fra1", "eu"), Host("stage", "10.0.0.2:80", Pool.STAGING, "fra1")),
    "r449",
    "pay",
    1,
    Rules(
        judge=JudgeRules(no_data_limit_s=float("inf")),
        budget=BudgetRules(Decimal("0.99990")),
        freezes=(Freeze("ana", "sale", NOW, NOW),),
        checks=(CheckRule("smoke", CheckKind.COMMAND, command=("smoke", "{hosts}")),),
    ),
)


@settings(max_examples=40, deadline=None)
@given(samples.TRIAL_RECORDS)
def test_any_trial_is_carried_exactly(one: TrialRecord) -> None:
    assert said(laxly(TrialRecord)(to_json(one).encode())) == said(one)


@settings(max_examples=40, deadline=None)
@given(samples.LOOK_RECORDS)
def test_any_look_is_carried_exactly(one: LookRecord) -> None:
    page = f'{{"looks": [{to_json(one)}], "more": false}}'
    assert said(laxly(Looks)(page.encode()).looks[0]) == said(one)


async def test_a_trial_comes_as_it_is_with_its_infinities(desk: SmallDesk, room: ApiRoom, viewer: ApiRoom) -> None:
    desk.trials = [trial_record("web-7"), trial_record("web-7", wave=2)]
    assert await room.trial("web") == desk.trials[0]
    assert await viewer.trial("web", "web-7", 2) == desk.trials[1]
    for asked in (("web", "web-8", 0), ("web", "web-7", 1), ("nosuch", "", 0)):
        with pytest.raises(Refused):
            await room.trial(*asked)


async def test_a_service_comes_as_it_is_configured_to_the_last_decimal(desk: SmallDesk, room: ApiRoom) -> None:
    desk.services["web"] = SERVICE
    found = await room.configured("web")
    assert found == SERVICE
    assert repr(found) == repr(SERVICE)
    assert found.staging == SERVICE.staging
    with pytest.raises(Refused, match="no such service"):
        await room.configured("nosuch")


async def test_looks_come_oldest_first_after_a_number_and_up_to_a_limit(desk: SmallDesk, room: ApiRoom) -> None:
    desk.seen = [look_record(number, "web-7") for number in range(1, 31)]
    assert await room.looks("web-7", 0) == tuple(desk.seen)
    assert await room.looks("web-7", 0, after=20, limit=3) == tuple(desk.seen[20:23])
    assert await room.looks("web-7", 0, after=30) == ()
    assert await room.looks("web-7", 1) == ()
    assert await room.looks("web-7", 0, limit=0) == ()


async def test_recorded_stretches_come_from_a_time_on(desk: SmallDesk, room: ApiRoom) -> None:
    desk.stretches = [recorded(60 * minute, "web") for minute in range(20)]
    assert await room.recorded("web", at(-1)) == tuple(desk.stretches)
    assert await room.recorded("web", at(60.0), 5) == tuple(desk.stretches[2:7])
    with pytest.raises(Refused, match="no such service"):
        await room.recorded("nosuch", at(0))


async def test_the_desk_is_asked_for_a_few_at_a_time_and_goes_on_with_its_work_in_between(
    desk: SmallDesk, room: ApiRoom
) -> None:
    desk.seen = [look_record(number, "web-7") for number in range(1, 401)]

    async def work() -> int:
        await desk.was_read.wait()
        return len(desk.portions)

    found, had_waited_for = await asyncio.gather(room.looks("web-7", 0), work())
    assert len(found) == 400
    assert max(desk.portions) == pages.AT_ONCE
    assert had_waited_for <= 2


async def test_a_page_is_cut_at_its_size_and_the_client_asks_on(
    desk: SmallDesk, room: ApiRoom, run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.seen = [look_record(number, "web-7") for number in range(1, 12)]
    desk.stretches = [recorded(60 * minute, "web") for minute in range(11)]
    monkeypatch.setattr(pages, "LARGEST_PAGE", 3 * len(to_json(desk.seen[0])) + 100)
    status, page = await answer(run_dir, "GET", "/v1/looks?release=web-7")
    assert (status, [look["number"] for look in page["looks"]], page["more"]) == (200, [1, 2, 3], True)  # type: ignore[index]
    assert await room.looks("web-7", 0) == tuple(desk.seen)
    assert await room.looks("web-7", 0, limit=7) == tuple(desk.seen[:7])
    assert await room.recorded("web", at(-1)) == tuple(desk.stretches)

    monkeypatch.setattr(pages, "LARGEST_PAGE", 1)
    assert await room.looks("web-7", 0) == tuple(desk.seen), "one record alone is always sent"


async def test_no_page_holds_more_than_five_hundred(desk: SmallDesk, room: ApiRoom, run_dir: Path) -> None:
    desk.seen = [look_record(number, "web-7", hosts=1) for number in range(1, 505)]
    _, page = await answer(run_dir, "GET", "/v1/looks?release=web-7")
    assert (len(page["looks"]), page["more"]) == (500, True)
    assert len(await room.looks("web-7", 0)) == 500
    assert await room.looks("web-7", 0, limit=1_000) == tuple(desk.seen)


async def test_a_page_that_never_ends_is_left(tmp_path: Path) -> None:
    body = b'{"looks":[],"more":true}'
    asked = 0

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await reader.readuntil(b"\r\n\r\n")
        asked += 1
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()

    async with await asyncio.start_unix_server(speak, tmp_path / "odd.sock"):
        room = ApiRoom(tmp_path / "odd.sock")
        assert await room.looks("web-7", 0) == ()
        await room.close()
    assert asked == 1


async def test_a_broken_history_is_a_lost_controller_for_looks_and_said_in_its_own_words(
    desk: SmallDesk, room: ApiRoom
) -> None:
    desk.broken = True
    with pytest.raises(ControllerLost, match="the disk is full"):
        await room.looks("web-7", 0)
    with pytest.raises(Refused, match="the disk is full"):
        await room.recorded("web", at(0))
    with pytest.raises(Refused, match="the disk is full"):
        await room.trial("web")


async def test_a_calibration_is_taken_with_the_kernels_word_for_who(desk: SmallDesk, room: ApiRoom) -> None:
    one = calibration(service="web")
    assert await room.calibrate(one) == Receipt("web", "", "calibrated")
    taken, who = desk.calibrations[0]
    assert taken == one
    assert (who.uid, who.origin) == (os.getuid(), "ssh 10.2.0.7")


async def test_a_calibration_is_refused_as_commands_are(
    desk: SmallDesk, room: ApiRoom, viewer: ApiRoom, run_dir: Path
) -> None:
    with pytest.raises(Refused, match="read-only"):
        await viewer.calibrate(calibration(service="web"))
    with pytest.raises(Refused, match="the settings have changed"):
        await room.calibrate(replace(calibration(service="web"), settings="old"))
    with pytest.raises(Refused, match="no such service"):
        await room.calibrate(calibration(service="nosuch"))
    assert desk.calibrations == []
    for service, settings_, status in (("web", "old", 409), ("nosuch", "x", 404)):
        body = json.dumps({**GOOD, "service": service, "settings": settings_})
        assert (await answer(run_dir, "POST", f"/v1/services/{service}/calibration", content=body))[0] == status
    status, told = await answer(run_dir, "POST", "/v1/services/web/calibration", socket="view.sock", json=GOOD)
    assert (status, told["why"]) == (403, "this line is read-only")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[" * 10_000,
        b"\xff",
        json.dumps({**GOOD, "service": "search"}).encode(),
        json.dumps({**GOOD, "service": "\x1b[2J"}).encode(),
        json.dumps({**GOOD, "at": "2026-03-01T12:00:00"}).encode(),
        json.dumps({**GOOD, "canaries": 0, "false": 0}).encode(),
        json.dumps({**GOOD, "canaries": "400"}).encode(),
        json.dumps({**GOOD, "canaries": 10**30}).encode(),
        json.dumps({**GOOD, "canaries": 2**60}).encode(),
        json.dumps({**GOOD, "false": -1}).encode(),
        json.dumps({**GOOD, "false": 401}).encode(),
        json.dumps({**GOOD, "bound": 0.001}).encode(),
        json.dumps({**GOOD, "bound": 1.5}).encode(),
        json.dumps({**GOOD, "bound": "nan"}).encode(),
        json.dumps({**GOOD, "bound": float("nan")}).encode(),
        json.dumps({**GOOD, "days": -1.0}).encode(),
        json.dumps({**GOOD, "days": "inf"}).encode(),
        json.dumps(GOOD).replace("2.5", "1e999").encode(),
        json.dumps({**GOOD, "step_s": 0}).encode(),
        json.dumps({**GOOD, "settings": "; rm -rf /"}).encode(),
        json.dumps({key: value for key, value in GOOD.items() if key != "bound"}).encode(),
    ],
)
async def test_a_body_that_no_placebo_canaries_showed_is_refused_in_three_parts(
    desk: SmallDesk, room: ApiRoom, run_dir: Path, body: bytes
) -> None:
    status, told = await answer(run_dir, "POST", "/v1/services/web/calibration", content=body)
    assert status == 400
    assert set(told) == {"what", "why", "mend"}
    assert all(text and text.isprintable() for text in told.values())
    assert desk.calibrations == []


def test_who_a_calibration_claims_to_be_by_is_cleaned() -> None:
    found = inbound.calibration(json.dumps({**GOOD, "by": "ana\n\x1b[31m" + "x" * 300}).encode(), "web")
    assert found.by.isprintable()
    assert len(found.by) == 100


async def test_a_calibration_too_large_is_not_read(desk: SmallDesk, room: ApiRoom, run_dir: Path) -> None:
    body = json.dumps({**GOOD, "by": "x" * 100_000})
    assert (await answer(run_dir, "POST", "/v1/services/web/calibration", content=body))[0] == 413
    assert desk.calibrations == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/services/web/trial?release=web-9", 404),
        ("/v1/services/web/trial?wave=1", 404),
        ("/v1/services/nosuch/trial", 404),
        ("/v1/services/web/trial?release=--x", 400),
        ("/v1/services/web/trial?release=%1b%5b2J", 400),
        ("/v1/services/web/trial?wave=-1", 400),
        ("/v1/services/web/trial?wave=10001", 400),
        ("/v1/services/web/trial?waves=1", 400),
        ("/v1/services/nosuch/recorded?since=2026-03-01T12:00:00Z", 404),
        ("/v1/services/web/recorded", 400),
        ("/v1/services/web/recorded?since=2026-03-01", 400),
        ("/v1/services/web/recorded?since=2026-03-01T12:00:00Z&limit=501", 400),
        ("/v1/services/nosuch/configured", 404),
        ("/v1/services/web/calibration", 405),
        ("/v1/looks", 400),
        ("/v1/looks?release=", 400),
        ("/v1/looks?release=a/../b", 400),
        ("/v1/looks?release=web-7&after=-1", 400),
        ("/v1/looks?release=web-7&after=" + "9" * 5000, 400),
        ("/v1/looks?release=web-7&limit=0", 400),
        ("/v1/looks?release=web-7&limit=501", 400),
        ("/v1/looks?release=web-7&wave=1e3", 400),
        ("/v1/looks?release=web-7&service=web", 400),
    ],
)
async def test_what_cannot_be_asked_is_said_in_three_parts(
    desk: SmallDesk, room: ApiRoom, run_dir: Path, path: str, status: int
) -> None:
    desk.trials = [trial_record("web-7")]
    found, told = await answer(run_dir, "GET", path)
    assert (found, set(told)) == (status, {"what", "why", "mend"})
    assert all(text.isprintable() for text in told.values())


async def test_the_room_that_loads_its_client_late_passes_everything_on(
    desk: SmallDesk, room: ApiRoom, run_dir: Path
) -> None:
    desk.trials, desk.seen, desk.stretches = [trial_record("web-7")], [look_record(1, "web-7")], [recorded(0, "web")]
    desk.services["web"] = SERVICE
    late = LazyRoom(run_dir / "pithead.sock", read_only=False)
    assert await late.trial("web") == desk.trials[0]
    assert await late.looks("web-7", 0) == tuple(desk.seen)
    assert await late.recorded("web", at(-1)) == tuple(desk.stretches)
    assert await late.configured("web") == SERVICE
    assert (await late.calibrate(calibration(service="web"))).said == "calibrated"
    assert (await late.send(Command(Verb.PAUSE, "web", "q1"))).said == "paused"
    await (await late._room()).close()  # type: ignore[attr-defined]


def test_a_time_of_another_zone_asks_for_the_same_stretches() -> None:
    asked = inbound.recorded({"since": "2026-03-01T14:00:00+02:00"})
    assert asked.since == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert asked.limit == 500


def test_a_calibration_is_one_of_whole_canaries() -> None:
    assert inbound.calibration(json.dumps(GOOD).encode(), "web") == Calibration(**{**GOOD, "at": at(0)})
