import pytest

from tests.tui.pages import company
from tui.app import PitheadApp
from tui.keys import FLEET, VIEWS, KeyMapError, remap
from tui.page_keys import PAGES


def test_no_view_has_two_actions_on_one_key() -> None:
    assert remap({}, {**VIEWS, **PAGES}) == {}


def test_every_key_that_changes_production_at_once_is_the_safe_one() -> None:
    assert [key.id for key in FLEET if key.changes and not key.ask] == ["release.pause"]
    assert all(key.keys.isupper() for key in FLEET if key.ask)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"release.promote": "R"}, "release.rollback: R is release.promote"),
        ({"release.promot": "x"}, "did you mean release.promote?"),
        ({"release.pause": "j"}, "j moves the cursor"),
        ({"release.pause": ""}, "names no key"),
    ],
)
def test_a_wish_that_clashes_or_names_nothing_is_refused(wanted: dict[str, str], said: str) -> None:
    with pytest.raises(KeyMapError, match=said.replace("?", r"\?")):
        PitheadApp(company(), keys=wanted)


async def test_a_remapped_key_works_and_the_old_one_does_not() -> None:
    room = company()
    app = PitheadApp(room, keys={"release.pause": "x"})
    async with app.run_test() as pilot:
        await pilot.press("p")
        await pilot.press("x")
        await pilot.pause()
    assert [each.verb for each in room.sent] == ["pause"]
