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
    ({"headers": {"X-Session-Id": "abc123"}}, "header x-session-id"),
    ({"headers": {"X-Custom-Token": "abc123"}}, "header x-custom-token"),
    ({"headers": {"X-Auth-User": "abc123"}}, "header x-auth-user"),
    ({"headers": {"X-Shop-Jwt-1": "abc123"}}, "header x-shop-jwt-1"),
    ({"headers": {"Ocp-Apim-Subscription-Key": "abc123"}}, "header ocp-apim-subscription-key"),
    ({"headers": {"Referer": "https://shop.example/a?sid=abc123"}}, "a token in header referer"),
    ({"path": "/a?PHPSESSID=abc123"}, "a secret in the query or path"),
    ({"path": "/a;jsessionid=abc123?x=1"}, "a secret in the query or path"),
    ({"path": "/blob?se=2026&sig=abc123"}, "a secret in the query or path"),
    ({"path": "/maps?key=AIzaSyAabc123-AAAAAAAAAAAAAAAAAAAAAAAAAA"}, "a secret in the query or path"),
    ({"path": "/a?next=%2Flogin%3Ftoken%3Dabc123"}, "a secret in the query or path"),
    ({"path": "/a?next=%252Flogin%253Ftoken%253Dabc123"}, "a secret in the query or path"),
    ({"path": "/a?next=/login?token=abc123"}, "a secret in the query or path"),
    ({"path": "/a?filter=%7B%22token%22%3A%22abc123%22%7D"}, "a secret in the query or path"),
    ({"path": "/go/https%3A%2F%2Fana%3Aabc123%40shop.example"}, "a secret in the query or path"),
    ({"path": "/pay?card=4111111111111111"}, "a secret in the query or path"),
    ({"body": {"dsn": "postgres://ana:abc123@db:5432/shop"}}, "a secret in the body"),
    ({"body": "dsn is postgres://ana:abc123@db:5432/shop, as ever"}, "a secret in the body"),
    ({"body": {"session": "abc123"}}, "a secret in the body"),
    ({"body": {"at": {"SID": "abc123"}}}, "a secret in the body"),
    ({"body": {"cvv": 737, "n": "AKIAABCDEFGHIJKLMNOP"}}, "a secret in the body"),
    ({"body": {"cvc": "0737"}}, "a secret in the body"),
    ({"body": {"number": "4111 1111 1111 1111"}}, "a secret in the body"),
    ({"body": {"items": [5555555555554444]}}, "a secret in the body"),
    ({"body": {"card_number": 4222222222222}}, "a secret in the body"),
    ({"body": {"pan": "6304 0000 0000 0000 000"}}, "a secret in the body"),
    ({"status": 200, "answer": "paid with 3782-822463-10005."}, "a secret in the answer"),
    ({"body": {"inner": '{"password": "abc123"}'}}, "a secret in the body"),
]


@pytest.mark.parametrize(("fields", "place"), LIVE)
def test_live_credentials_are_found_and_gone_from_the_scrubbed_copy(fields: dict[str, object], place: str) -> None:
    recording = parsed(line() + line(**fields))
    assert credentials(recording) == (f"line 2: {place}",)
    copy = scrubbed(recording)
    assert credentials(parsed(copy)) == ()
    for secret in (b"abc123", JWT.encode(), b"AKIAABC", b"4111", b"4444", b"4222222", b"10005", b"737", b"6304"):
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
        {"headers": {"Idempotency-Key": "abc123", "X-Cache-Key": "abc123", "Keep-Alive": "5", "X-Keyboard": "de"}},
        {"headers": {"Referer": "https://shop.example/a?page=2", "X-Authority": "a", "Www-Authenticate": "Basic"}},
        {"path": "/a?next=%2Fcart%3Fpage%3D2&q=a%3Db&key=42&sig=&x=%zz%25"},
        {"path": "/a;v=2/b?dsn=postgres%3A%2F%2Fana%3A***%40db&session=[scrubbed]"},
        {"body": {"at": 1764115200000, "at_us": 1764115200000000, "ean": "4006381333931", "id": 4111111111111112}},
        {
            "body": {
                "id": 6304000000000000000,
                "n": 4000000000000000006,
                "phone": "49 1511 1111111 11",
                "x": 5000000000000009,
            }
        },
        {"body": {"cvv": "[scrubbed]", "card": 12, "session": "", "sid": 7, "pi": 0.4111111111111111, "n": True}},
        {"body": {"id": "6f4111111111111111", "url": "https://shop.example/a@b", "mail": "ana:x@shop.example"}},
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


HOSTILE = (
    "4-1 " * 50_000,
    "?a=" * 50_000,
    "a://b:" * 30_000 + "@",
    "%25" * 60_000,
    "x=" + "%253D" * 30_000,
    "?" * 200_000,
)


def test_long_hostile_texts_are_searched_in_no_time() -> None:
    for text in ("eyJ-" * 5_000, " " * 200_000, "-----BEGIN " * 20_000, "a=" * 100_000, "x" * 200_000, *HOSTILE):
        recording = parsed(line(body=text, status=200, answer={"password": text}))
        assert credentials(parsed(scrubbed(recording))) == ()


def test_the_command_writes_the_scrubbed_copy(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    tape = tmp_path / "a.jsonl"
    tape.write_bytes(line(headers={"cookie": "sid=abc123", "accept": "*/*"}))
    assert command.main([str(tape)]) == 0
    assert json.loads(capsysbinary.readouterr().out) == {"method": "GET", "path": "/", "headers": {"accept": "*/*"}}
    assert command.main([str(tmp_path / "none")]) == 1
    assert command.main([]) == 2
