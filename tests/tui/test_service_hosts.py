from dataclasses import replace
from typing import Any

import pytest

from pipeline.model import Track
from pipeline.view import HostLine, Mark
from tests.tui.fakes import FakeRoom
from tests.tui.pages import company, drawn, opened, settled
from tests.tui.samples import sample_service
from tui.glyphs import ASCII
from tui.service import ServiceScreen
from tui.service_hosts import host_sheet, tally
from tui.theme import Colors, palette
from tui.widgets.pane import Look
from tui.widgets.runs import length

PLAIN = Look(ASCII, palette(Colors.NONE))
HOSTILE = "\x1b]52;c;AAAA\x07[/x] [bold]\u202e evil \u7532\u7532\u7532"


def text(runs: Any) -> str:
    return "".join(part for part, _ in runs)


def test_hosts_are_counted_with_those_that_do_not_answer() -> None:
    hosts = (
        HostLine("a1", "ams2", Track.CANARY, Mark.GOOD, "r2", ""),
        HostLine("a2", "ams2", Track.PRODUCTION, Mark.UNKNOWN, "", "no answer in 2 s"),
        HostLine("b1", "", Track.PRODUCTION, Mark.BAD, "r1", "not healthy"),
        HostLine("s1", "ams2", Track.STAGING, Mark.RUNNING, "r2", "told to run r3"),
    )
    view = replace(sample_service("checkout-api"), hosts=hosts)
    assert tally(hosts) == "3 hosts, 1 canary, 1 down, 1 unknown"
    assert tally(hosts[:1]) == "1 host, 1 canary"
    lines = [text(line) for line in host_sheet(view, 78, PLAIN, whole=True).body]
    assert lines[:3] == [" ?         1     x", " ams2      2 1c  C?", " staging   1     ~"]
    assert "no answer in 2 s" in lines[4]


SICK = (
    HostLine("web-stg", "main", Track.STAGING, Mark.BAD, "r111", "GET /healthz: HTTP 503 (3 times)"),
    HostLine(
        "web-1", "main", Track.PRODUCTION, Mark.UNKNOWN, "", "host key not known: accept it once with: ssh web-1 true"
    ),
    HostLine("web-2", "main", Track.PRODUCTION, Mark.GOOD, "r110", ""),
)


def test_a_hosts_reason_is_whole_beside_it_or_below_it() -> None:
    view = replace(sample_service("checkout-api"), hosts=SICK)
    lines = [text(line).rstrip() for line in host_sheet(view, 78, PLAIN, whole=True).body]
    assert lines[3:] == [
        " x web-stg main staging    r111 GET /healthz: HTTP 503 (3 times)",
        " ? web-1   main production ?",
        "     host key not known: accept it once with: ssh web-1 true",
        " + web-2   main production r110",
    ]


def test_beside_the_other_panes_the_map_is_followed_by_those_that_are_not_well() -> None:
    view = replace(sample_service("checkout-api"), hosts=SICK)
    lines = [text(line).rstrip() for line in host_sheet(view, 42, PLAIN, whole=False).body]
    assert lines[2:] == [
        " x web-stg staging    r111",
        "     GET /healthz: HTTP 503 (3 times)",
        " ? web-1   production ?",
        "     host key not known: accept it once",
        "     with: ssh web-1 true",
    ]


@pytest.mark.parametrize("width", [4, 12, 30, 78])
def test_columns_of_hosts_give_way_and_stay_inside(width: int) -> None:
    hosts = (*SICK, HostLine("n" * 90, "d" * 90, Track.CANARY, Mark.BAD, "r" * 90, HOSTILE * 9))
    view = replace(sample_service("checkout-api"), hosts=hosts)
    for line in host_sheet(view, width, PLAIN, whole=True).body[4:]:
        assert length(line) <= max(width, 15)


async def test_at_120x40_the_hosts_take_rows_from_the_events_to_say_every_reason() -> None:
    view = sample_service("checkout-api")
    async with opened(ServiceScreen("checkout-api"), company(), (120, 40)) as (app, pilot):
        page = "\n".join(drawn(app))
        assert "x iad1-21 production r1201" in page
        assert "no answer in 2 s" in page
        room = app.room
        assert isinstance(room, FakeRoom)
        down = tuple(replace(host, mark=Mark.BAD, detail="not healthy") for host in view.hosts)
        room.publish_service(replace(view, hosts=down))
        await settled(pilot)
        page = "\n".join(drawn(app))
        assert "171 down" in page
        assert "timeline  4" in page
