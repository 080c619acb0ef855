"""Answers held against each other: JSON with ignored paths, texts, statuses."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.checks.replay import PathError, parsed_path
from adapters.checks.replay.compare import Answer, difference, same_text
from adapters.checks.replay.paths import Ignored
from pipeline.text import plain


def of_json(got: object, held: object, *ignored: str, scrubbed: bool = False) -> str | None:
    mine, theirs = (Answer(200, json.dumps(value).encode()) for value in (got, held))
    return difference(mine, theirs, "recorded", Ignored.of(ignored), scrubbed=scrubbed)


def of_text(got: bytes, held: bytes, kind: str = "") -> str | None:
    return difference(Answer(200, got, kind), Answer(200, held, kind), "recorded", Ignored.of(()))


@pytest.mark.parametrize(
    ("got", "held", "said"),
    [
        ({"total": 12.5}, {"total": 12.0}, "$.total 12.5, recorded 12.0"),
        ({"a": 1, "b": 2}, {"b": 3, "a": 4}, "$.b 2, recorded 3"),
        ({"a": True}, {"a": 1}, "$.a true, recorded 1"),
        ({}, {"a": None}, "$.a missing, recorded null"),
        ({"a": 1}, {}, "$.a 1, recorded missing"),
        ([1, 2], [1, 2, 3], "$ 2 items, recorded 3"),
        ({"a": {"b": 1}}, {"a": []}, "$.a an object of 1, recorded 0 items"),
        ([{"a": "x"}], [{"a": "y"}], '$[0].a "x", recorded "y"'),
        ({"a b": 1}, {"a b": 2}, "$['a b'] 1, recorded 2"),
        ({"a": "x" * 99}, {"a": ""}, f'$.a "{"x" * 36}..., recorded ""'),
        ({"a": "\x1b[31m"}, {"a": ""}, r'$.a "\u001b[31m", recorded ""'),
    ],
)
def test_the_first_difference_is_named_by_its_path(got: object, held: object, said: str) -> None:
    assert of_json(got, held) == said


def test_numbers_are_compared_as_numbers_and_keys_in_any_order() -> None:
    for got, held in (
        (b'{"a": 1, "b": 12.50}', b'{"b":12.5,"a":1.0}'),
        (b"[9007199254740993]", b"[9007199254740993 ]"),
    ):
        assert of_text(got, held) is None
    assert of_text(b"[9007199254740993]", b"[9007199254740992]") is not None


@pytest.mark.parametrize(
    ("path", "got", "held"),
    [
        ("$.now", {"now": 1, "a": 1}, {"now": 2, "a": 1}),
        ("$.now", {"a": 1}, {"now": 2, "a": 1}),
        ("$.a.b", {"a": {"b": [1]}}, {"a": {"b": {}}}),
        ("$.items[*].etag", {"items": [{"etag": 1}, {"etag": 2}]}, {"items": [{"etag": 3}, {}]}),
        ("$.items[1]", {"items": [1, 2]}, {"items": [1, 3]}),
        ("$.items[*]", {"items": [1, 2]}, {"items": [1, 3, 4]}),
        ("$..id", {"a": [{"id": 1, "b": {"id": 2}}], "id": 3}, {"a": [{"id": 4, "b": {}}], "id": 5}),
        ("$.a..id", {"a": {"x": {"id": 1}}}, {"a": {"x": {"id": 2}}}),
        ("$..a[0]", {"a": [1, 2]}, {"a": [3, 2]}),
        ("$['a b']", {"a b": 1}, {"a b": 2}),
        ('$["a.b"].c', {"a.b": {"c": 1}}, {"a.b": {"c": 2}}),
        ("$.*.x", {"a": {"x": 1}}, {"a": {"x": 2}}),
        ("$", {"a": 1}, ["b"]),
    ],
)
def test_an_ignored_path_may_differ(path: str, got: object, held: object) -> None:
    assert of_json(got, held) is not None
    assert of_json(got, held, "$.nothing", path) is None


def test_what_is_beside_an_ignored_path_may_not_differ() -> None:
    assert of_json({"a": {"id": 1}, "b": 1}, {"a": {"id": 2}, "b": 2}, "$.a.id") == "$.b 1, recorded 2"
    assert of_json({"id": 1}, {"id": 2}, "$.a..id") == "$.id 1, recorded 2"
    assert of_json([[1]], [[2]], "$[1]") == "$[0][0] 1, recorded 2"


@pytest.mark.parametrize(
    "path",
    ["", "now", "$now", "$.", "$..", "$.a.", "$.a b", "$[", "$[-1]", "$[a]", "$.[0]", "$[?(@.a)]", "$" + ".a" * 999],
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(PathError, match="expected a path as"):
        parsed_path(path)


@given(st.text(max_size=20).map("$".__add__) | st.text(alphabet="$.[]*'\"0ab", max_size=12))
def test_any_text_is_a_path_or_refused_as_none(text: str) -> None:
    try:
        assert isinstance(parsed_path(text), tuple)
    except PathError as error:
        assert plain(str(error)) == str(error)


def test_the_status_comes_first_and_a_body_that_was_not_kept_is_not_compared() -> None:
    assert difference(Answer(500, b"{}"), Answer(200, b"{}"), "production", Ignored.of(())) == "500, production 200"
    assert difference(Answer(200, b"x"), Answer(200, None), "recorded", Ignored.of(())) is None


@pytest.mark.parametrize(
    ("got", "held", "said"),
    [
        (b"<h1>Hi</h1>", b'{"a": 1}', 'not JSON: "<h1>Hi</h1>", recorded JSON'),
        (b"", b'{"a": 1}', "not JSON: nothing, recorded JSON"),
        (b"[" * 99_999, b'{"a": 1}', f'not JSON: "{"[" * 37}...", recorded JSON'),
        (b'{"a": NaN}', b'{"a": 1}', 'not JSON: "{"a": NaN}", recorded JSON'),
        (b"hi\x1b", b"ho", 'text "hi\ufffd", recorded "ho"'),
        (b"0123456789abcdef", b"0123456789abcdxx", 'text at character 15 "456789abcdef", recorded "456789abcdxx"'),
        (b"12", b"13", 'text "12", recorded "13"'),
        (b"\xff\x00", b"\xfe", 'text "\u00ff\ufffd", recorded "\u00fe"'),
    ],
)
def test_what_is_not_json_is_compared_as_text(got: bytes, held: bytes, said: str) -> None:
    assert of_text(got, held) == said


def test_texts_in_a_charset_are_those_of_utf_8() -> None:
    kind = "text/plain; charset=ISO-8859-1"
    latin, utf = Answer(200, "é".encode("latin-1"), kind), Answer(200, "é".encode())
    assert difference(latin, utf, "recorded", Ignored.of(())) is None


def test_what_was_scrubbed_matches_anything_in_a_recording_only() -> None:
    held = {"token": "[scrubbed]", "text": "key [scrubbed] and [scrubbed]."}
    assert of_json({"token": 7, "text": "key a and b."}, held, scrubbed=True) is None
    assert of_json({"text": "key a and b."}, held, scrubbed=True) == '$.token missing, recorded "[scrubbed]"'
    assert of_json({"token": 7, "text": "key a or b."}, held, scrubbed=True) is not None
    assert of_json({"token": 7, "text": "key a and b."}, held) is not None


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)
CONTAINER = st.lists(JSON, max_size=3) | st.dictionaries(st.sampled_from("abc"), JSON, max_size=3)


def same(one: object, other: object) -> bool:
    """Equal as JSON: a plain oracle."""
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one == other


@settings(max_examples=50)
@given(CONTAINER, CONTAINER)
def test_json_differs_if_and_only_if_it_is_another_value(one: object, other: object) -> None:
    assert of_json(one, one) is None
    assert (of_json(one, other) is None) is same(one, other)
    assert (of_json(other, one) is None) is same(one, other)


def without(value: object, left_out: Callable[[str], bool]) -> object:
    if isinstance(value, dict):
        return {key: without(inner, left_out) for key, inner in value.items() if not left_out(key)}
    return [without(inner, left_out) for inner in value] if isinstance(value, list) else value


@settings(max_examples=50)
@given(CONTAINER, CONTAINER, st.sampled_from("abc"))
def test_a_name_ignored_everywhere_is_as_if_it_were_not_there(one: object, other: object, name: str) -> None:
    bare = [without(value, lambda key: key == name) for value in (one, other)]
    assert (of_json(one, other, f"$..{name}") is None) is (of_json(*bare) is None)


PATHS = st.lists(st.sampled_from(["$.a", "$..b", "$[*].c", "$.a.*", "$[0]", "$"]), max_size=3)


@settings(max_examples=50)
@given(CONTAINER, CONTAINER, PATHS, PATHS)
def test_ignoring_more_never_finds_more(one: object, other: object, paths: list[str], more: list[str]) -> None:
    if of_json(one, other, *paths) is None:
        assert of_json(one, other, *paths, *more) is None


@given(st.lists(st.text(alphabet="ab", max_size=4), min_size=1, max_size=4), st.data())
def test_text_with_scrubbed_parts_matches_with_anything_in_their_place(parts: list[str], data: st.DataObject) -> None:
    filled = parts[0] + "".join(data.draw(st.text(alphabet="abc", max_size=3)) + part for part in parts[1:])
    assert same_text(filled, "[scrubbed]".join(parts), scrubbed=True)


def test_deep_json_is_compared_without_recursion() -> None:
    deep = b"[" * 900 + b"]" * 900
    assert of_text(deep, deep + b" ") is None
    said = of_text(deep, b"[" * 900 + b"1" + b"]" * 900)
    assert said is not None
    assert len(said) < 150
