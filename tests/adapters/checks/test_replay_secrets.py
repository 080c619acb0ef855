"""Credentials in recordings: found by name and by look, taken out, and never named."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.checks.replay import __main__ as command
from adapters.checks.replay import credentials, parsed, scrubbed

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"


def line(**fields: object) -> bytes:
    return json.dumps({"path": "/", **fields}).encode() + b"\n"


LIVE = [
    ({"headers": {"Authorization": "Bearer abc123"}}, "header authorization"),
    ({"headers": {"Proxy-Authorization": "Basic abc123="}}, "header proxy-authorization"),
    ({"headers": {"Cookie": "theme=xxx; sid=abc123"}}, "header cookie"),
    ({"headers": {"X-Api-Key": "abc123"}}, "header x-api-key"),
    ({"headers": {"X-Custom": f"jwt {JWT}"}}, "a token in header x-custom"),
    ({"path": "/a?x=1&access_token=abc123"}, "a secret in the query or path"),
    ({"path": "/a?API-KEY=abc123"}, "a secret in the query or path"),
    ({"path": "/a?pass%77ord=abc123&b"}, "a secret in the query or path"),
    ({"path": f"/reset/{JWT}"}, "a secret in the query or path"),
    ({"body": "user=ana&password=abc123"}, "a secret in the body"),
    ({"body": {"user": {"Password": "abc123"}}}, "a secret in the body"),
    ({"status": 200, "answer": {"items": [{"clientSecret": "abc123"}]}}, "a secret in the answer"),
    ({"body": json.dumps(JWT)}, "a secret in the body"),
    ({"body": {"a": {JWT: 1}}}, "a secret in the body"),
    ({"status": 200, "answer": "key AKIAABCDEFGHIJKLMNOP"}, "a secret in the answer"),
]


@pytest.mark.parametrize(("fields", "place"), LIVE)
def test_live_credentials_are_found_and_gone_from_the_scrubbed_copy(fields: dict[str, object], place: str) -> None:
    recording = parsed(line() + line(**fields))
    assert credentials(recording) == (f"line 2: {place}",)
    copy = scrubbed(recording)
    assert credentials(parsed(copy)) == ()
    for secret in (b"abc123", JWT.encode(), b"AKIAABC"):
        assert secret not in copy


@pytest.mark.parametrize(
    "fields",
    [
        {"headers": {"Authorization": "Bearer ***"}},
        {"headers": {"Authorization": "[REDACTED]", "Cookie": "sid=xxxxx; theme=***"}},
        {"headers": {"X-Api-Key": "<your key>"}},
        {"path": "/a?access_token=REDACTED&pageToken=abc123&password="},
        {"body": {"password": "", "secret": None, "passwordless": "abc123", "n": 1.50}},
        {"status": 200, "answer": "a password=is asked for"},
    ],
)
def test_what_was_taken_out_already_is_no_credential(fields: dict[str, object]) -> None:
    assert credentials(parsed(line(**fields))) == ()


def test_a_har_files_cookies_and_passwords_in_urls_are_found() -> None:
    request = {
        "method": "GET",
        "url": "https://ana:abc123@shop.example/",
        "cookies": [{"name": "sid", "value": "abc123"}],
    }
    response = {"status": 200, "headers": [{"name": "Set-Cookie", "value": "sid=abc123; Path=/"}]}
    recording = parsed(json.dumps({"log": {"entries": [{"request": request, "response": response}]}}).encode())
    assert credentials(recording) == (
        "entry 1: a password in the URL",
        "entry 1: header cookie",
        "entry 1: header set-cookie of the answer",
    )
    assert b"abc123" not in scrubbed(recording)


def test_json_without_secrets_keeps_its_bytes_and_no_value_is_ever_named() -> None:
    recording = parsed(line(body={"n": 1.5, "a": "b"}) + line(headers={"cookie": "sid=abc123"}) * 30)
    assert b'{\\"n\\": 1.5, \\"a\\": \\"b\\"}' in scrubbed(recording)
    assert len(credentials(recording)) == 20
    assert "abc123" not in "".join(credentials(recording))


SECRET = st.text(alphabet="ABCDEFGHJK", min_size=8, max_size=12).map("s3cr3t".__add__)


@given(
    SECRET,
    st.sampled_from(["password", "Access_Token", "api-key", "refreshToken", "client_secret"]),
    st.recursive(
        st.just(None), lambda inner: st.lists(inner, min_size=1, max_size=2) | st.fixed_dictionaries({"a": inner})
    ),
)
def test_no_secret_survives_wherever_it_stands(secret: str, name: str, around: object) -> None:
    def hide(value: object) -> object:
        if isinstance(value, list):
            return [hide(inner) for inner in value]
        return {key: hide(inner) for key, inner in value.items()} if isinstance(value, dict) else {name: secret}

    raw = line(
        path=f"/?{name}={secret}", body=hide(around), status=200, answer=hide(around), headers={"cookie": secret}
    )
    copy = scrubbed(parsed(raw))
    assert secret.encode() not in copy
    assert credentials(parsed(copy)) == ()


def test_long_hostile_texts_are_searched_in_no_time() -> None:
    for text in ("eyJ-" * 5_000, " " * 200_000, "-----BEGIN " * 20_000, "a=" * 100_000, "x" * 200_000):
        recording = parsed(line(body=text, status=200, answer={"password": text}))
        assert credentials(parsed(scrubbed(recording))) == ()


def test_the_command_writes_the_scrubbed_copy(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    tape = tmp_path / "a.jsonl"
    tape.write_bytes(line(headers={"cookie": "sid=abc123", "accept": "*/*"}))
    assert command.main([str(tape)]) == 0
    assert json.loads(capsysbinary.readouterr().out) == {"method": "GET", "path": "/", "headers": {"accept": "*/*"}}
    assert command.main([str(tmp_path / "none")]) == 1
    assert command.main([]) == 2
