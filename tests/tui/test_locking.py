from datetime import timedelta

from pipeline.commands import Verb
from pipeline.docket import Docket, Lock
from tests.tui.fakes import NOW, FakeRoom
from tests.tui.pages import drawn, opened, settled
from tests.tui.rule_samples import ruled_company
from tui.dialogs import DEAF_S
from tui.service import ServiceScreen


def locked(*ids: str) -> FakeRoom:
    room = ruled_company()
    at = NOW - timedelta(hours=1)
    gone = Lock("lock-0", "ledger", "kim", at, "old", lifted_by="kim", lifted=at)
    others = Lock("lock-9", "cart", "kim", at, "another service")
    on = tuple(Lock(id_, "ledger", "ana", at, "disk is being replaced", NOW + timedelta(hours=2)) for id_ in ids)
    room.papers = Docket(locks=(gone, others, *on))
    return room


async def asked(room: FakeRoom, *keys: str) -> str:
    """The page after `L` and `keys`."""
    async with opened(ServiceScreen("ledger"), room, (80, 30)) as (app, pilot):
        await pilot.press("L")
        await settled(pilot)
        app.clock.advance(2 * DEAF_S)  # type: ignore[attr-defined]
        await pilot.press(*keys)
        await settled(pilot)
        return "\n".join(drawn(app))


async def test_l_locks_with_a_reason_after_it_has_asked() -> None:
    room = locked()
    page = await asked(room, *"disk", "enter", "y")
    assert [(sent.verb, sent.service, sent.reason, sent.version) for sent in room.sent] == [
        (Verb.LOCK, "ledger", "disk", None)
    ]
    assert "Lock ledger?" in page
    assert "lock taken" in page


async def test_a_lock_without_a_reason_asks_for_it_and_sends_nothing() -> None:
    room = locked()
    page = await asked(room, "tab", "y", *"disk", "enter", "y")
    assert [sent.reason for sent in room.sent] == ["disk"]
    assert "lock taken" in page


async def test_a_reason_typed_right_after_l_loses_no_letter_and_confirms_nothing() -> None:
    room = locked()
    async with opened(ServiceScreen("ledger"), room, (80, 30)) as (app, pilot):
        await pilot.press("L")
        await settled(pilot)
        await pilot.press(*"why", "enter", "y")
        await settled(pilot)
        assert "[ whyy" in "\n".join(drawn(app))
        assert room.sent == []


async def test_l_on_a_locked_service_lifts_the_very_lock_that_it_shows() -> None:
    room = locked("lock-3")
    page = await asked(room, *"done", "enter", "y")
    assert "lock-3 by ana since 13:07:31Z, until 16:07:31Z (2h)" in page
    assert [(sent.verb, sent.subject, sent.release, sent.reason) for sent in room.sent] == [
        (Verb.UNLOCK, "lock-3", "", "done")
    ]


async def test_of_several_locks_none_is_lifted_by_one_key() -> None:
    room = locked("lock-3", "lock-4")
    page = await asked(room, "y")
    assert room.sent == []
    assert "Unlock ledger: 2 locks" in page
    assert "one at a time, in a shell: pithead unlock ledger lock-4" in page
    assert "lock-3 by ana" in page


async def test_a_lost_controller_and_a_read_only_room_lock_nothing() -> None:
    room = locked()
    async with opened(ServiceScreen("ledger"), room) as (app, pilot):
        room.lose()
        await settled(pilot)
        await pilot.press("L")
        await settled(pilot)
        assert isinstance(app.screen, ServiceScreen)
        room.restore()
        room.read_only = app.read_only = True
        app.clock.advance(60)  # type: ignore[attr-defined]
        await settled(pilot, 5)
        await pilot.press("L")
        await settled(pilot)
        assert isinstance(app.screen, ServiceScreen)
