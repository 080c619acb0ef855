"""Expressions over signals: what they are worth, what is refused, and that arrays say the same as single samples."""

import math
import random
from collections.abc import Mapping
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.expression import DEEPEST, LONGEST, parsed
from pipeline.model import MetricKind, MetricRule
from pipeline.signals import Sample, value
from pipeline.text import plain

DOTS = 'a signal\'s name here has letters, digits and "_" only'
NAMES = ("a", "b", "max", "_x1")
levels = st.integers(-1_000_000, 1_000_000).map(lambda n: n / 1_000) | st.integers(-3, 3).map(float)


def gauges(**found: float) -> Sample:
    return Sample(10.0, {}, found)


@st.composite
def written(draw: st.DrawFn, depth: int = 4) -> str:
    """An expression as Python writes it too, in any spacing."""
    blank = draw(st.sampled_from(["", " ", "\t "]))
    form = draw(st.sampled_from(["name", "number", "sign", "group", "call", "two", "two", "two"])) if depth else "name"
    if form == "name":
        return draw(st.sampled_from(NAMES)) + blank
    if form == "number":
        return draw(st.sampled_from(["0", "1", "2.5", "1e3", "0.001", "7E-2", "12"])) + blank
    one = draw(written(depth - 1))
    if form == "sign":
        return f"-{blank}{one}"
    if form == "group":
        return f"({blank}{one}){blank}"
    other = draw(written(depth - 1))
    if form == "call":
        return f"{draw(st.sampled_from(['min', 'max']))}{blank}({one},{blank}{other})"
    return f"{one}{draw(st.sampled_from('+-*/'))}{blank}{other}"


def by_python(text: str, named: Mapping[str, float]) -> float | None:
    """What Python makes of it; None for what is not finite."""
    # `max` is a signal unless it is called
    text = text.replace("min", "MIN")
    pieces = text.split("max")
    whole = pieces[0]
    for piece in pieces[1:]:
        whole += ("MAX" if piece.lstrip().startswith("(") else "max") + piece
    try:
        found = eval(whole, {"__builtins__": {}}, {**named, "MIN": min, "MAX": max})
    except ZeroDivisionError:
        return None
    return float(found) if math.isfinite(found) else None


@given(written(), st.tuples(levels, levels, levels, levels))
def test_it_is_worth_what_python_makes_of_it(text: str, four: tuple[float, ...]) -> None:
    named = dict(zip(NAMES, four, strict=True))
    try:
        expression = parsed(text)
    except ValueError as error:
        told = str(error)
        assert "by zero" in told or "at least one signal" in told or "at most" in told
        return
    assert set(expression.names) <= set(NAMES)
    assert expression.value(gauges(**named)) == by_python(text, named)


@given(written(), st.lists(st.tuples(levels, levels, levels, levels), min_size=1, max_size=8))
def test_arrays_say_the_same_as_single_samples(text: str, rows: list[tuple[float, ...]]) -> None:
    try:
        expression = parsed(text)
    except ValueError:
        return
    columns = dict(zip(NAMES, np.array(rows).T, strict=True))
    with np.errstate(all="ignore"):
        found = expression.values(columns.__getitem__)
    single = [expression.value(gauges(**dict(zip(NAMES, row, strict=True)))) for row in rows]
    assert found.shape == (len(rows),)
    assert [None if math.isnan(each) else each for each in found] == single


@given(st.text(max_size=40) | st.text("ab1.(),+-*/ min", max_size=60))
def test_any_text_is_an_expression_or_a_value_error(text: str) -> None:
    try:
        expression = parsed(text)
    except ValueError as error:
        assert plain(str(error)) == str(error)
    else:
        assert expression.text == text
        assert expression.names


def test_a_damaged_expression_is_an_expression_or_a_value_error() -> None:
    rng = random.Random(1)
    whole = "min(a + 2.5e3 * -b, (a - b) / max(b, 1)) - a"
    for _ in range(2_000):
        text = list(whole)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(text))
            text[at : at + rng.randint(0, 2)] = rng.choice(["", "(", ")", ",", "*", "1", "a", "\x00", "."])
        with suppress(ValueError):
            parsed("".join(text)).value(gauges(a=1.0, b=2.0))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", 'expected a number, a signal or "(", got the end'),
        ("a +", 'expected a number, a signal or "(", got the end'),
        ("a b", 'expected an operator or the end, got "b" at character 3'),
        ("2a", 'expected an operator or the end, got "a" at character 2'),
        ("a ** 2", 'expected a number, a signal or "(", got "*" at character 4'),
        ("+a", 'expected a number, a signal or "(", got "+" at character 1'),
        ("(a", 'expected ")", got the end'),
        ("a)", 'expected an operator or the end, got ")" at character 2'),
        ("http.requests", f'expected an operator or the end, got "." at character 5: {DOTS}'),
        ("max(a)", 'expected ",", got ")" at character 6'),
        ("max(a, b, a)", 'expected ")", got "," at character 9'),
        ("avg(a, b)", 'expected min or max before "(", got "avg" at character 1'),
        ("__import__('os')", 'expected min or max before "(", got "__import__" at character 1'),
        ("a.__class__", f'expected an operator or the end, got "." at character 2: {DOTS}'),
        ("a if b else a", 'expected an operator or the end, got "if" at character 3'),
        ("a\n+ b", 'expected an operator or the end, got " " at character 2'),
        ("a + \u202eb", 'expected a number, a signal or "(", got "\ufffd" at character 5'),
        ("\u0661 + a", 'expected a number, a signal or "(", got "\u0661" at character 1'),
        ("a / (2 - 2)", "divides by zero at character 3"),
        ("1e999 * a", "expected numbers up to 1.8e308, got more at character 1"),
        ("a + 1e300 * 1e300", "expected numbers up to 1.8e308, got more at character 11"),
        ("1 + 2", "expected at least one signal: without one it is the same number for ever"),
        ("a" * (LONGEST + 1), "expected at most 300 characters, got 301"),
        ("(" * 31 + "a" + ")" * 31, "expected at most 30 levels inside each other, got more at character 32"),
        ("-" * 31 + "a", "expected at most 30 levels inside each other, got more at character 32"),
    ],
)  # fmt: skip
def test_what_is_no_expression_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(ValueError) as refused:
        parsed(text)
    assert str(refused.value) == told


def test_as_deep_and_as_long_as_allowed_is_worked_out() -> None:
    deep, long = "(" * DEEPEST + "a" + ")" * DEEPEST, "+".join("a" * 150)
    assert parsed(deep).value(gauges(a=2.0)) == 2
    assert parsed(long).value(gauges(a=2.0)) == 300


def test_a_counter_stands_for_its_increase_per_second_and_a_gauge_for_its_level() -> None:
    sample = Sample(20.0, {"cpu": 10.0, "requests": 400.0}, {"threads": 8.0})
    assert parsed("cpu / requests").value(sample) == pytest.approx(0.025)
    assert parsed("requests / threads").value(sample) == pytest.approx(2.5)
    assert parsed("requests - 2 * threads - 1").value(sample) == 3
    assert parsed("min(threads, requests) + max(threads, requests)").names == ("threads", "requests")


@pytest.mark.parametrize(
    ("text", "sample"),
    [
        ("a + b", gauges(a=1.0)),
        ("a + b", Sample()),
        ("a / b", gauges(a=1.0, b=0.0)),
        ("a / (a / b)", gauges(a=1.0, b=0.0)),
        ("min(a / b, a)", gauges(a=1.0, b=0.0)),
        ("a", gauges(a=math.inf)),
        ("a", gauges(a=math.nan)),
        ("min(a, b)", gauges(a=math.nan, b=1.0)),
        ("1 / a", gauges(a=math.inf)),
        ("1 / (a * a)", gauges(a=1e300)),
        ("a", Sample(0.0, {"a": 5.0})),
        ("a", Sample(1e-300, {"a": 1e300})),
    ],
)
def test_what_is_missing_or_not_finite_is_no_data(text: str, sample: Sample) -> None:
    assert parsed(text).value(sample) is None


def test_a_metric_of_kind_expression_is_worth_its_expression() -> None:
    metric = MetricRule("busy", "busy", MetricKind.EXPRESSION, expression="cpu / max(requests, 1)")
    assert value(metric, Sample(10.0, {"cpu": 5.0, "requests": 100.0})) == pytest.approx(0.05)
    assert value(metric, Sample(10.0, {"cpu": 5.0})) is None
