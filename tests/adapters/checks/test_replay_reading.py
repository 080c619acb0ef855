"""Recordings as they are read: both forms, and whatever a hostile one may hold."""

import base64
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.checks.replay import Recording, RecordingError, parsed, read
from adapters.checks.replay import har as har_module
from adapters.checks.replay import reading as reading_module
from adapters.checks.replay.lines import written_lines
from adapters.checks.replay.recording import Exchange, Recorded
from pipeline.text import plain


def entry(url: str = "https://shop.example/cart/7?full=1", method: str = "GET", **fields: object) -> dict[str, object]:
    request = {"method": method, "url": url, "httpVersion": "HTTP/2", "headers": [], "headersSize": -1}
    response = {"status": 200, "headers": [], "content": {"size": 2, "mimeType": "application/json", "text": "{}"}}
    return {"startedDateTime": "2026-01-05T09:00:00Z", "request": request, "response": response, "time": 12.5, **fields}


def har(*entries: object, **log: object) -> bytes:
    return json.dumps({"log": {"version": "1.2", "entries": entries, **log}}).encode()


def why(raw: bytes, **options: bool) -> str:
    with pytest.raises(RecordingError) as caught:
        parsed(raw, **options)
    return str(caught.value)


def test_a_har_entry_is_a_request_and_its_answer() -> None:
    asked = {
        "method": "POST",
        "url": "https://shop.example:443/cart?x=1#top",
        "headers": [{"name": ":authority", "value": "shop.example"}, {"name": "Accept", "value": " text/html "}],
        "postData": {"mimeType": "application/json", "text": '{"a":1}'},
    }
    came = {"status": 201, "headers": [{"name": "Content-Type", "value": "text/plain"}], "content": {"text": "made"}}
    recording = parsed(har(entry(request=asked, response=came), _pithead={"service": "cart", "recorded": "Monday"}))
    answer = Recorded(201, b"made", 12.5, (("content-type", "text/plain"),))
    assert recording == Recording(
        (Exchange("entry 1", "POST", "/cart?x=1", (("accept", "text/html"),), b'{"a":1}', answer),),
        "cart",
        "shop.example",
        "Monday",
    )


def test_a_har_body_in_base64_is_its_bytes_and_form_fields_are_a_form() -> None:
    coded = {"status": 200, "content": {"text": base64.b64encode(b"\x00\xff").decode(), "encoding": "base64"}}
    form = {"method": "POST", "url": "http://a/", "postData": {"params": [{"name": "a b", "value": "1&2"}]}}
    (exchange,) = parsed(har(entry(request=form, response=coded))).exchanges
    assert exchange.answer is not None
    assert (exchange.body, exchange.answer.body) == (b"a+b=1%262", b"\x00\xff")


@pytest.mark.parametrize("response", [None, {"status": 0}, {"status": 101}])
def test_an_aborted_har_request_has_no_answer(response: object) -> None:
    assert parsed(har(entry(response=response))).exchanges[0].answer is None


def test_a_browsers_folded_and_empty_headers_of_answers_are_taken() -> None:
    headers = [{"name": "Set-Cookie", "value": "a=b\nc=d"}, {"name": "X-\n", "value": None}]
    answer = parsed(har(entry(response={"status": 200, "headers": headers}))).exchanges[0].answer
    assert answer is not None
    assert answer.headers == (("set-cookie", "a=b\nc=d"),)


def test_har_times_that_are_none_are_none() -> None:
    for time in (-1, 0, 1e300):
        answer = parsed(har(entry(time=time))).exchanges[0].answer
        assert answer is not None
        assert answer.ms is None


def test_json_lines_take_text_json_and_bytes() -> None:
    raw = b"""{"service": "cart", "recorded": "2026-01-05"}

{"path": "/a", "status": 200, "answer": "hi", "ms": 3}
{"method": "PUT", "path": "/b", "headers": {"Accept": "*/*"}, "body": {"n": 1.50}, "status": 204}
{"method": "POST", "path": "/c", "body64": "AP8=", "status": 200, "answer": [1, 2]}
"""
    recording = parsed(raw)
    assert (recording.service, recording.recorded) == ("cart", "2026-01-05")
    assert recording.exchanges == (
        Exchange("line 3", "GET", "/a", (), None, Recorded(200, b"hi", 3.0)),
        Exchange("line 4", "PUT", "/b", (("accept", "*/*"),), b'{"n": 1.50}', Recorded(204)),
        Exchange("line 5", "POST", "/c", (), b"\x00\xff", Recorded(200, b"[1, 2]")),
    )


def test_only_the_first_requests_are_read_if_so_many_are_asked_for() -> None:
    raw = b'{"path": "/a"}\n{"path": "/b"}\nnot JSON\n'
    assert [one.path for one in parsed(raw, 2).exchanges] == ["/a", "/b"]
    assert len(parsed(har(entry(), entry(), entry("https://other.example/")), 2).exchanges) == 2


@pytest.mark.parametrize(
    "raw", [har(entry()), b"\xef\xbb\xbf" + har(entry()), json.dumps({"log": 1}, indent=1).encode()]
)
def test_a_har_file_is_known_by_its_content_too(raw: bytes) -> None:
    try:
        assert parsed(raw).host == "shop.example"
    except RecordingError as error:
        assert str(error).startswith("not a HAR file: Expected `object`")


def test_a_request_may_name_its_service() -> None:
    raw = b'{"path": "/", "headers": {"X-Pithead-Service": "cart"}}\n'
    assert parsed(raw).service == "cart"
    other = b'{"path": "/", "headers": {"X-Pithead-Service": "search"}}\n'
    assert why(raw + other) == 'line 2: recorded from "search", the others from "cart"'


BAD_LINES = [
    (b'{"path": "/", "status": 200, "ms": NaN}', "line 2: JSON is malformed"),
    (b'{"path": "/", "answer": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", "line 2: nested too deeply"),
    (b'{"path": "/", "status": 1' + b"0" * 5_000 + b"}", "line 2: Integer value out of range"),
    (b'{"path": "/", "ms": 1e999}', "line 2: Number out of range"),
    (b'{"path": "/\xff"}', "line 2: not UTF-8"),
    (b'{"path": "/", "headers": {"a": "x\\r\\nEvil: 1"}}', "line 2: header a: a value with a line end"),
    (b'{"path": "/", "headers": {"a\\r\\nb": "x"}}', 'line 2: header "a  b": not the name of a header'),
    (b'{"path": "/", "headers": {"a": "\\u4e00"}}', "line 2: header a: a value with"),
    (b'{"path": "/ HTTP/1.1\\r\\nHost: evil"}', 'line 2: path "/ HTTP/1.1  Host: evil": expected a path'),
    (b'{"path": "http://evil.example/"}', 'line 2: path "http://evil.example/": expected a path'),
    (b'{"path": "//evil.example/"}', 'line 2: path "//evil.example/": expected a path'),
    (b'{"path": "/\\u001b[31m"}', 'line 2: path "/\ufffd[31m"'),
    (b'{"path": "/' + b"a" * 9_000 + b'"}', "line 2: a path of more than 8 kB"),
    (b'{"path": "/", "method": "get"}', 'line 2: method "get": expected capital letters'),
    (b'{"path": "/", "method": "GET / HTTP/1.1"}', "line 2: method"),
    (b'{"path": "/", "status": 99}', "line 2: status 99: expected 100 to 599"),
    (b'{"path": "/", "statuss": 200}', "line 2: Object contains unknown field `statuss`"),
    (b'{"status": 200}', "line 2: Object missing required field `path`"),
    (b'{"path": "/", "body64": "?"}', "line 2: a body that should be base64"),
    (b'{"path": "/", "body": "\\ud800"}', "line 2: "),
    (b'{"path": "/", "body": "' + b"x" * 5_000_000 + b'"}', "line 2: a body of more than 4 MiB"),
    (json.dumps({"path": "/", "headers": {f"h{n}": "" for n in range(101)}}).encode(), "line 2: more than 100 headers"),
    (b'{"path": "/", "headers": {"a": "' + b"x" * 20_000 + b'"}}', "line 2: more than 100 headers or 12 kB"),
    (b"[]", "line 2: Expected `object`, got `array`"),
    (b"GET /", "line 2: JSON is malformed"),
]


@pytest.mark.parametrize(("line", "reason"), BAD_LINES, ids=[str(number) for number in range(len(BAD_LINES))])
def test_a_bad_line_is_one_error_with_its_number(line: bytes, reason: str) -> None:
    said = why(b'{"path": "/good"}\n' + line + b"\n")
    assert said.startswith(reason)
    assert said.isprintable()
    assert len(said) < 300


BAD_ENTRIES = [
    (
        json.dumps(entry("https://cdn.example/x")).encode(),
        "entry 2: asks https://cdn.example, the first entry https://sh",
    ),
    (json.dumps(entry("http://shop.example/x")).encode(), "entry 2: asks http://shop.example, the first entry https"),
    (json.dumps(entry("https://shop.example:8443/")).encode(), "entry 2: asks https://shop.example:8443, the first"),
    (json.dumps(entry("file:///etc/passwd")).encode(), 'entry 2: "file:///etc/passwd": expected a URL of http'),
    (json.dumps(entry("https://[::1/")).encode(), 'entry 2: "https://[::1/": not a URL'),
    (json.dumps(entry("https://shop.example/a\r\nb")).encode(), "entry 2: path"),
    (json.dumps(entry("https://shop.example/a b")).encode(), "entry 2: path"),
    (json.dumps(entry(time="soon")).encode(), "entry 2: Expected `float | null`, got `str` - at `$.time`"),
    (b"3", "entry 2: Expected `object`, got `int`"),
    (json.dumps(entry()).encode().replace(b"12.5", b"NaN"), "entry 2: JSON is malformed"),
    (json.dumps(entry()).encode().replace(b"12.5", b"1e999"), "entry 2: Number out of range"),
    (json.dumps(entry()).encode().replace(b"12.5", b"[" * 5_000 + b"]" * 5_000), "entry 2: "),
    (b'{"x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", "entry 2: nested too deeply"),
    (
        json.dumps(entry(response={"status": 200, "content": {"text": "?", "encoding": "base64"}})).encode(),
        "entry 2: a body",
    ),
    (json.dumps(entry(response={"status": 700})).encode(), "entry 2: status 700"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD_ENTRIES, ids=[str(number) for number in range(len(BAD_ENTRIES))])
def test_a_bad_har_entry_is_one_error_with_its_number(bad: bytes, reason: str) -> None:
    raw = har(entry(), "HERE", entry()).replace(b'"HERE"', bad)
    said = why(raw)
    assert said.startswith(reason)
    assert said.isprintable()
    assert len(said) < 300


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "holds no request"),
        (b'{"service": "cart"}\n', "holds no request"),
        (har(), "holds no request"),
        (b'{"log": {}}', "not a HAR file: Object missing required field `entries`"),
        (b'{"log": {"entries": [], "x": NaN}}', "not a HAR file: JSON is malformed"),
        (b'{"answer": ' + b"[" * 100_000, "line 1: nested too deeply"),
        (b"\xff\xfe{\x00}\x00", "line 1: "),
    ],
    ids=["empty", "header", "no-entry", "no-log", "nan", "deep", "utf-16"],
)
def test_what_is_no_recording_says_so(raw: bytes, reason: str) -> None:
    assert why(raw).startswith(reason)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(name: str) -> str:
        with pytest.raises(RecordingError) as caught:
            read(name)
        return str(caught.value)

    os.mkfifo(tmp_path / "pipe.har")
    assert refused(str(tmp_path / "none.har")) == "none.har: No such file or directory"
    assert refused(str(tmp_path / "pipe.har")) == "pipe.har: not a file"
    assert refused(str(tmp_path)).endswith(": not a file")
    assert refused("a\0b") == "a\ufffdb: embedded null byte"
    monkeypatch.setattr(reading_module, "FILE_LIMIT", 1024 * 1024)
    (tmp_path / "big.har").write_bytes(b" " * (1024 * 1024 + 1))
    assert refused(str(tmp_path / "big.har")) == "big.har: more than 1 MiB: record less of it"


def test_more_entries_than_a_recording_may_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(har_module, "ENTRIES_LIMIT", 1)
    assert why(har(entry(), entry())) == "more than 1 entries"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["path", "method", "headers", "body", "body64", "status", "answer", "ms", "service", "log"])


@settings(max_examples=50)
@given(
    st.binary(max_size=200)
    | st.lists(st.dictionaries(FIELDS, JSON, max_size=5), max_size=3).map(
        lambda found: "\n".join(json.dumps(one) for one in found).encode()
    )
)
def test_any_bytes_are_a_recording_or_one_plain_error(raw: bytes) -> None:
    for har_named in (False, True):
        try:
            assert parsed(raw, har_named=har_named).exchanges
        except RecordingError as error:
            assert plain(str(error)) == str(error)


NAMES = st.sampled_from(
    ["request", "response", "url", "method", "headers", "status", "content", "text", "time", "name"]
)
PARTS = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["GET", "https://a/", "base64"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=50)
@given(st.lists(PARTS, max_size=3))
def test_any_entries_are_read_or_one_plain_error(entries: list[object]) -> None:
    try:
        assert parsed(har(*entries)).exchanges
    except RecordingError as error:
        assert plain(str(error)) == str(error)


PATHS = st.from_regex(r"/[a-z0-9%?=&]{0,20}", fullmatch=True)
HEADERS = st.dictionaries(
    st.from_regex(r"[a-z][a-z-]{0,9}", fullmatch=True), st.sampled_from(["", "a", "b; c"]), max_size=3
)
BODIES = st.none() | st.binary(max_size=30) | st.text(max_size=10).map(str.encode)


@settings(max_examples=50)
@given(
    st.lists(
        st.builds(
            Exchange,
            st.just(""),
            st.sampled_from(["GET", "POST"]),
            PATHS,
            HEADERS.map(lambda found: tuple(found.items())),
            BODIES,
            st.none() | st.builds(Recorded, st.integers(200, 599), BODIES, st.none() | st.floats(0.001, 1e6)),
        ).filter(lambda one: not one.path.startswith("//")),
        min_size=1,
        max_size=4,
    )
)
def test_what_is_written_is_read_back(exchanges: list[Exchange]) -> None:
    numbered = tuple(
        Exchange(f"line {number}", one.method, one.path, one.headers, one.body, one.answer)
        for number, one in enumerate(exchanges, 2)
    )
    recording = Recording(numbered, "cart", recorded="Monday")
    assert parsed(written_lines(recording)) == recording
