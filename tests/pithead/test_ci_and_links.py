"""`pithead submit --ci` and `pithead check --reach` of links."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.commands import CiSaid, Verb
from pithead.ci import LONGEST, ci_said
from pithead.exits import Exit, Failure
from pithead.verbs import paper, submit
from tests.adapters.conftest import Peers, http
from tests.pithead.reaching_support import company, reaching
from tests.pithead.test_verbs import Heard, never, typed
from tests.tui.fakes import NOW, FakeRoom

WRITTEN = {"revision": "r942", "commit": "4f2a91c", "suites": {"lint": True, "unit": False}, "url": "https://ci/77"}
SAID = CiSaid("r942", "4f2a91c", (("lint", True), ("unit", False)), url="https://ci/77")


async def test_what_ci_has_written_goes_with_the_submit(tmp_path: Path) -> None:
    file = tmp_path / "ci.json"
    file.write_text(json.dumps(WRITTEN))
    for given_as in (str(file), json.dumps(WRITTEN)):
        room = FakeRoom()
        assert await submit.run(typed("submit", "orders", "r942", "--ci", given_as), room, Heard()) == Exit.DONE
        (command,) = room.sent
        assert (command.verb, command.revision, command.ci) == (Verb.SUBMIT, "r942", SAID)


async def test_a_digest_goes_with_a_word_for_a_build() -> None:
    room = FakeRoom()
    words = ("attest", "orders", "STB-2", "--revision", "r942", "--digest", "sha256:ab", "--reason", "seen")
    assert await paper.run(typed(*words), room, Heard(), never, lambda: NOW) == Exit.DONE
    (command,) = room.sent
    assert (command.subject, command.revision, command.digest) == ("STB-2", "r942", "sha256:ab")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "no JSON"),
        ('{"revision": "r1"}', "suites must say true or false"),
        ('{"suites": {"unit": "yes"}}', "suites must say true or false"),
        ('{"suites": {"unit": 1}}', "suites must say true or false"),
        ('{"suites": {}, "commit": 7}', "commit is no text"),
        ('{"suites": {}, "branch": "main"}', "branch is not known"),
        ("{" + " " * LONGEST, "more than 64 kB"),
        ("/nowhere/ci.json", "No such file"),
    ],
)
def test_what_is_no_result_is_said_with_an_example(text: str, why: str) -> None:
    with pytest.raises(Failure) as no:
        ci_said(text)
    assert why in str(no.value)
    assert no.value.code == Exit.USAGE


@given(st.text(max_size=60))
def test_no_text_is_more_than_a_usage_error(text: str) -> None:
    try:
        found = ci_said("{" + text)
    except Failure as no:
        assert no.code == Exit.USAGE
    else:
        assert isinstance(found, CiSaid)


async def test_links_are_reached_once_and_told_with_what_is_wrong(tmp_path: Path) -> None:
    peers = Peers()
    try:
        address = await peers.answering(lambda _, path, __: http(404 if path == "/gone" else 200, ""))
        (tmp_path / "faq.md").write_text("?")
        stated = (
            f'\n[service.cart.readiness]\nrunbook = "http://{address}/run"\n'
            f'docs = {{ faq = "faq.md", contacts = "http://{address}/gone", runbook = "http://{address}/run" }}\n'
        )
        hosts = {"cart-stg-1": await peers.saying(b""), "cart-1": await peers.saying(b"")}
        came = await reaching(tmp_path, company(hosts), stated)
        assert came.of("link") == [
            f"http://{address}/run: HTTP 200",
            "faq.md: it is there",
            f"http://{address}/gone: HTTP 404",
        ]
        assert f"link http://{address}/gone | cart | HTTP 404: correct the link, or put the page there" in came.lines
        assert "links 2 of 3" in came.summary
    finally:
        await peers.close()
