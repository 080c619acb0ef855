"""Alerts of a real Alertmanager, and of servers that are none."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.alerts.access import Access
from adapters.alerts.alert import Alert, AlertLabels, AlertsFault
from adapters.alerts.alertmanager import AlertmanagerAlerts, written
from adapters.alerts.reading import MOST, NotAlerts, alerts_in
from adapters.metrics.source import Matcher, Op
from adapters.secret import NoSecret, Secret
from pipeline.text import is_identifier, plain
from tests.neighbours.alertmanager import Alertmanager, alert, alertmanager

LONG_S = 30.0
OPEN_SESAME = "$2b$04$hr.oT4/XOXRFjNNZMSRYdesISK7nisbhfF3/ueCd6WnAhEQ0D6VSG"
"""`open-sesame` by bcrypt, at its least cost."""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Alertmanager]:
    async with alertmanager(tmp_path) as one:
        yield one


@pytest.fixture
async def asking(clock) -> AsyncIterator[Callable[..., AlertmanagerAlerts]]:
    open_: list[AlertmanagerAlerts] = []

    def make(url: str, **options: object) -> AlertmanagerAlerts:
        open_.append(AlertmanagerAlerts(url, clock, **options))  # type: ignore[arg-type]
        return open_[-1]

    yield make
    for one in open_:
        await one.close()


def names(found: tuple[Alert, ...] | AlertsFault) -> list[str]:
    assert isinstance(found, tuple), found
    return [one.name for one in found]


async def test_what_fires_is_told_with_its_labels_and_cleaned(server: Alertmanager, asking) -> None:
    await server.fire(
        [
            alert(
                "HighErrors",
                "2026-01-05T01:02:03.004+01:00",
                "5 % of \x1b[31mrequests\nfail",
                service="web",
                env="prod",
                track="canary",
                severity="critical",
            )
        ]
    )
    found = await asking(server.url).alerts(LONG_S)
    assert isinstance(found, tuple)
    (one,) = found
    assert one == Alert(
        plain("HighErrors"),
        plain("web"),
        plain("prod"),
        plain("canary"),
        plain("critical"),
        plain("5 % of \ufffd[31mrequests fail"),
        datetime(2026, 1, 5, 0, 2, 3, 4000, UTC),
        one.fingerprint,
    )
    assert is_identifier(one.fingerprint)


async def test_silenced_and_inhibited_and_ended_alerts_are_not_told(server: Alertmanager, asking) -> None:
    await server.silence("service", "muted")
    ended = alert("Ended", service="web") | {"endsAt": "2026-01-05T00:00:01Z"}
    await server.fire(
        [
            alert("Slow", service="muted"),
            ended,
            alert("DatacenterDown", datacenter="fra1", severity="critical"),
            alert("Slow", service="web", datacenter="fra1", severity="warning"),
            alert("Slow", service="web", datacenter="ams2", severity="warning"),
        ]
    )
    asked = asking(server.url)
    async with asyncio.timeout(LONG_S):
        # The inhibitor learns of an alert a moment after it is taken.
        while True:
            if names(await asked.alerts(LONG_S)) == ["Slow", "DatacenterDown"]:
                break
            await asyncio.sleep(0.02)


async def test_other_labels_and_matchers_are_heeded_whatever_they_hold(server: Alertmanager, asking) -> None:
    odd = 'a "quoted" \\ back\\nslash\n'
    await server.fire(
        [
            alert("Odd", app="web", stage="prod", odd=odd),
            alert("Even", app="web", stage="prod"),
            alert("Odd", app="web", stage="test", odd=odd),
        ]
    )
    asked = asking(
        server.url,
        labels=AlertLabels(service="app", environment="stage"),
        matchers=(Matcher("odd", Op.EQUAL, odd), Matcher("stage", Op.LIKE, "pro."), Matcher("app", Op.UNEQUAL, "")),
    )
    found = await asked.alerts(LONG_S)
    assert [(one.name, one.service, one.environment) for one in found] == [("Odd", "web", "prod")]


async def test_a_storm_is_cut_at_500_and_the_gravest_of_services_stay(server: Alertmanager, asking) -> None:
    await server.fire([alert("Filler", severity="info", n=str(number)) for number in range(600)])
    await server.fire(
        [
            alert("Slight", service="web", severity="info"),
            alert("Older", "2026-01-04T00:00:00Z", service="web", severity="critical"),
            alert("Newer", service="web", severity="critical"),
            alert("Middling", service="web", severity="warning"),
        ]
    )
    asked = asking(server.url)
    found = await asked.alerts(LONG_S)
    assert len(found) == MOST
    assert names(found)[:5] == ["Newer", "Older", "Middling", "Slight", "Filler"]
    assert asked.left_out == 104


async def test_a_path_before_the_api_and_a_password_are_heeded(tmp_path: Path, asking) -> None:
    web = f"basic_auth_users:\n  us: {OPEN_SESAME}\n"
    (tmp_path / "password").write_text("open-sesame\n")
    async with alertmanager(tmp_path, "/am", web) as server:
        refused = await asking(server.url).alerts(LONG_S)
        assert isinstance(refused, AlertsFault)
        assert refused.why == "HTTP 401: it does not let us in: check the token or the password"
        access = Access(user="us", password=Secret(tmp_path / "password"))
        assert await asking(f"{server.url}/", access=access).alerts(LONG_S) == ()


async def test_a_server_says_why_it_refuses_a_matcher(server: Alertmanager, asking) -> None:
    found = await asking(server.url, matchers=(Matcher("a", Op.LIKE, "("),)).alerts(LONG_S)
    assert isinstance(found, AlertsFault)
    assert found.why.startswith("HTTP 400: error parsing regexp: missing closing )")


@pytest.mark.parametrize(
    ("status", "body", "extra", "why"),
    [
        (200, "<html>log in</html>", "", "not an Alertmanager, or not its API v2: JSON is malformed"),
        (200, '{"status": "success"}', "", "not an Alertmanager, or not its API v2: Expected `array`, got `object`"),
        (200, '[{"labels": {}}]', "", "not an Alertmanager, or not its API v2: Object missing required field"),
        (200, "", "", "not an Alertmanager, or not its API v2: Input data was truncated"),
        (200, "[" * 100_000, "", "not an Alertmanager, or not its API v2: "),
        (200, "x", "Content-Encoding: gzip\r\n", "malformed answer: compressed though that was not asked for"),
        (302, "", "Location: http://127.0.0.1:1/\r\n", "HTTP 302: it sends us elsewhere, and we do not follow"),
        (403, "", "", "HTTP 403: it does not let us in"),
        (503, '"not \\u001b[2J ready"', "", "HTTP 503: not \ufffd[2J ready"),
        (500, "[" * 100_000, "", "HTTP 500"),
    ],
)
async def test_an_answer_that_is_none_is_a_fault(
    peers, http_answer, asking, clock, status: int, body: str, extra: str, why: str
) -> None:
    address = await peers.answering(lambda *_: http_answer(status, body, extra))
    found = await asking(f"http://{address}").alerts(LONG_S)
    assert isinstance(found, AlertsFault)
    assert found.why.startswith(why)
    assert found.at_s == clock.monotonic()


async def test_a_server_that_hangs_or_drips_ends_with_the_deadline(peers, asking) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    for address in (await peers.answering(lambda *_: None), await peers.talking(drip)):
        found = await asking(f"http://{address}").alerts(0.2)
        assert isinstance(found, AlertsFault)
        assert found.why == "no answer in 0.2 s"


async def test_nobody_there_and_rubbish_are_faults(peers, asking) -> None:
    for address, why in (
        (await peers.refusing(), "no connection"),
        (await peers.saying(b"\x00\xff" * 100), "malformed answer"),
        (await peers.saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[]"), "malformed answer"),
    ):
        found = await asking(f"http://{address}").alerts(LONG_S)
        assert isinstance(found, AlertsFault)
        assert found.why.startswith(why)


async def test_a_flood_is_cut_off(peers, asking) -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"100000\r\n" + b" " * 0x100000 + b"\r\n")
            await writer.drain()

    found = await asking(f"http://{await peers.talking(flood)}").alerts(LONG_S)
    assert isinstance(found, AlertsFault)
    assert found.why == "more than 32 MiB of alerts: narrow the matchers"


async def test_a_secret_that_cannot_be_had_is_a_fault_and_is_not_shown(
    peers, http_answer, asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = await peers.answering(lambda *_: http_answer(200, "[]"))
    (tmp_path / "bad").write_text("hush hush")
    monkeypatch.delenv("ALERTS_TOKEN", raising=False)
    for secret, why in (
        (Secret(tmp_path / "none"), "No such file or directory"),
        (Secret(tmp_path / "bad"), "expected one word of ASCII without blanks"),
        (Secret(env="ALERTS_TOKEN"), "$ALERTS_TOKEN is not set"),
    ):
        found = await asking(f"http://{address}", access=Access(bearer=secret)).alerts(LONG_S)
        assert isinstance(found, AlertsFault)
        assert found.why.endswith(why)
        assert "hush" not in found.why
    assert peers.requests == []


async def test_a_token_is_sent_and_read_anew_each_time(peers, asking, tmp_path: Path) -> None:
    heads: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")

    token = tmp_path / "token"
    access = Access(bearer=Secret(token), headers={"X-Scope-OrgID": "shop"})
    asked = asking(f"http://{await peers.talking(talk)}", access=access)
    for word in ("first", "second"):
        token.write_text(f"{word}\n")
        assert await asked.alerts(LONG_S) == ()
        assert f"Authorization: Bearer {word}".encode() in heads[-1]
        assert b"X-Scope-OrgID: shop" in heads[-1]
    assert "second" not in repr(access)


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:9093", "ftp://a", "http://", "http://us:pass@a", "http://a/?x=1", "http://a/#x"]
)
def test_a_url_that_is_none_is_refused_and_no_password_is_shown(url: str, clock) -> None:
    with pytest.raises(ValueError, match="URL") as refused:
        AlertmanagerAlerts(url, clock)
    assert "pass@" not in str(refused.value)


TEXTS = st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
TOLD = st.fixed_dictionaries(
    {
        "labels": st.dictionaries(st.sampled_from(["service", "alertname", "severity"]) | TEXTS, TEXTS),
        "startsAt": st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
        | st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-05"]),
        "fingerprint": TEXTS,
        "status": st.fixed_dictionaries({"state": st.sampled_from(["active", "suppressed", "unprocessed"])}),
    },
    optional={"annotations": st.dictionaries(st.sampled_from(["summary"]) | TEXTS, TEXTS)},
)


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_a_server_says_is_alerts_or_not_alerts(raw: bytes) -> None:
    try:
        alerts_in(raw, AlertLabels())
    except NotAlerts as error:
        assert plain(str(error)) == str(error)


@settings(max_examples=50)
@given(st.lists(TOLD, max_size=5))
def test_what_an_alert_says_is_one_clean_line(told: list[dict[str, object]]) -> None:
    try:
        found, more = alerts_in(json.dumps(told).encode(), AlertLabels())
    except NotAlerts:
        return
    assert more == 0
    assert len(found) == sum(one["status"]["state"] != "suppressed" for one in told)  # type: ignore[index]
    for one in found:
        assert one.since.utcoffset() == UTC.utcoffset(None)
        for text in (one.name, one.service, one.severity, one.summary, one.fingerprint):
            assert plain(text) == text


def test_a_service_that_is_cut_is_never_another_ones_name() -> None:
    told = {
        "labels": {"service": "a" * 300},
        "startsAt": "2026-01-05T00:00:00Z",
        "fingerprint": "1",
        "status": {"state": "active"},
    }
    ((one,), _) = alerts_in(json.dumps([told]).encode(), AlertLabels())
    assert not is_identifier(one.service)


def test_a_secret_is_one_word(tmp_path: Path) -> None:
    (tmp_path / "long").write_text("x" * 9_000)
    with pytest.raises(NoSecret):
        Secret(tmp_path / "long").read()


def test_a_matcher_is_written_as_alertmanager_reads_it() -> None:
    assert written(Matcher("a", Op.UNLIKE, 'x"\\\n')) == r'a!~"x\"\\\n"'
