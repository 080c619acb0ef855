"""Selectors of series, as the configuration writes them."""

import pytest

from adapters.metrics.source import Matcher, Op, SignalKind, SignalSource, parse_selector


@pytest.mark.parametrize(
    ("text", "family", "matchers"),
    [
        ("http_requests_total", "http_requests_total", ()),
        (" up ", "up", ()),
        ("up{}", "up", ()),
        ('a:b{code=~"5.."}', "a:b", (Matcher("code", Op.LIKE, "5.."),)),
        (
            'x { a = "1", b!="2" ,c!~"3|4", }',
            "x",
            (Matcher("a", Op.EQUAL, "1"), Matcher("b", Op.UNEQUAL, "2"), Matcher("c", Op.UNLIKE, "3|4")),
        ),
        (r'x{a="\"\\\n}, b"}', "x", (Matcher("a", Op.EQUAL, '"\\\n}, b'),)),
        (r'x{a=~"1\.5"}', "x", (Matcher("a", Op.LIKE, r"1\.5"),)),
    ],
)
def test_a_selector_is_a_family_and_its_matchers(text: str, family: str, matchers: tuple[Matcher, ...]) -> None:
    assert parse_selector(text) == (family, matchers)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "expected a metric's name, got ''"),
        ("5xx", "expected a metric's name"),
        ("x y", "after x"),
        ("x{", "after x"),
        ('x{a="1"} > 3', "after x"),
        ("x{a=1}", "expected label="),
        ('x{a=="1"}', "expected label="),
        ('x{a="1" b="2"}', "expected a comma"),
        ('x{,a="1"}', "expected label="),
        ('x{a=~"5("}', "not a pattern"),
    ],
)
def test_a_selector_that_is_none_says_what_was_expected(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_selector(text)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("selector", "labels", "matches"),
    [
        ('x{code=~"5.."}', {"code": "503"}, True),
        ('x{code=~"5.."}', {"code": "5033"}, False),
        ('x{code=~"5"}', {"code": "15"}, False),
        ('x{code!~"5.."}', {"code": "200"}, True),
        ('x{code=""}', {}, True),
        ('x{code!="200"}', {}, True),
        ('x{code="200",method="GET"}', {"code": "200", "method": "PUT"}, False),
        ("x", {"code": "200"}, True),
    ],
)
def test_matchers_are_promqls(selector: str, labels: dict[str, str], matches: bool) -> None:
    family, matchers = parse_selector(selector)
    assert SignalSource("s", SignalKind.COUNTER, family, matchers).matches(labels) is matches
