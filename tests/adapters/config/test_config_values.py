"""Durations, ranges and waves: how people write them."""

from contextlib import suppress
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.addresses import is_address
from adapters.config import durations
from adapters.config.errors import Problems, Spot, Unread
from adapters.config.ranges import MOST, expanded
from adapters.config.values import expression, objective, ratio, threshold, whole
from adapters.config.waves import wave
from pipeline.model import Wave


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("40s", 40), ("10m", 600), ("24h", 86_400), ("30d", 2_592_000), ("1h30m", 5_400), ("800ms", 0.8), ("0.8s", 0.8)],
)
def test_a_duration_is_numbers_with_units(written: str, seconds: float) -> None:
    assert durations.seconds(written) == seconds


@pytest.mark.parametrize(
    "wrong", ["", "40", "s", "30m1h", "1h1h", "-4s", "1 h", "4S", "1e3s", "nan", "\u0664s", "1_0s", ".5s", "5.s"]
)
def test_anything_else_is_no_duration(wrong: str) -> None:
    with pytest.raises(ValueError):
        durations.seconds(wrong)


@given(st.integers(0, 10**12))
def test_a_written_duration_is_read_as_it_was(milliseconds: int) -> None:
    assert durations.seconds(durations.written(milliseconds / 1000)) == milliseconds / 1000


@given(st.text(max_size=12))
def test_a_text_is_a_duration_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert durations.seconds(text) >= 0


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("cart-1", ["cart-1"]),
        ("cart-[1-3]", ["cart-1", "cart-2", "cart-3"]),
        ("db[08-11].x", ["db08.x", "db09.x", "db10.x", "db11.x"]),
        ("n[1,3,5-7]", ["n1", "n3", "n5", "n6", "n7"]),
        ("r[1-2]-[1-2]", ["r1-1", "r1-2", "r2-1", "r2-2"]),
        ("[::1]:80", ["[::1]:80"]),
        ("n[9-10]", ["n9", "n10"]),
    ],
)
def test_a_range_names_many(pattern: str, names: list[str]) -> None:
    assert list(expanded(pattern)) == names


@given(st.integers(0, 10**6), st.integers(0, 300))
def test_a_range_has_every_number_once_and_in_order(first: int, more: int) -> None:
    numbers = [int(name[1:]) for name in expanded(f"n[{first}-{first + more}]")]
    assert (numbers[0], numbers[-1]) == (first, first + more)
    assert all(after == before + 1 for before, after in pairwise(numbers))


@pytest.mark.parametrize("wrong", ["n[]", "n[4-1]", "n[1-]", "n[1,,2]", "n[-]", "n[1-2-3]", "n[ ]"])
def test_a_range_that_makes_no_sense_is_told_so(wrong: str) -> None:
    with pytest.raises(ValueError, match="a range"):
        expanded(wrong)


@pytest.mark.parametrize("bomb", ["n[1-999999999]", "n[1-200][1-200]", "[1-99]" * 40, "n[" + "1-9999," * 9 + "1]"])
def test_no_pattern_names_more_than_a_fleet_has(bomb: str) -> None:
    with pytest.raises(ValueError, match=f"at most {MOST:,} names"):
        expanded(bomb)


@pytest.mark.parametrize("right", ["10.0.0.1:80", "cart-1.example.net:7077", "[::1]:65535", "localhost:1"])
def test_an_address_is_a_host_and_a_port(right: str) -> None:
    assert is_address(right)


@pytest.mark.parametrize(
    "wrong",
    ["10.0.0.1", ":80", "a:0", "a:65536", "http://a:80", "a b:80", "-a:80", "a:80/x", "a@b:80", "::1:x", "a:80\n"],
)
def test_anything_else_is_no_address(wrong: str) -> None:
    assert not is_address(wrong)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("fra1", Wave("datacenter", "fra1", 1)),
        ("fra1 50%", Wave("datacenter", "fra1", 0.5)),
        ("region:eu 12.5%", Wave("region", "eu", 0.125)),
        ("country:de", Wave("country", "de", 1)),
        ("provider:alder", Wave("provider", "alder", 1)),
        ("100%", Wave("", "", 1)),
    ],
)
def test_a_wave_is_a_place_and_a_share(written: str, read: Wave) -> None:
    assert wave(written, Spot(Problems("f"))) == read


@pytest.mark.parametrize("wrong", ["", "0%", "101%", "planet:earth", "fra1 fra2", "region:", "50% fra1", 5, None, "-x"])
def test_anything_else_is_no_wave(wrong: object) -> None:
    spot = Spot(Problems("f"))
    with pytest.raises(Unread):
        wave(wrong, spot)
    assert len(spot.problems.errors) == 1


@pytest.mark.parametrize(
    ("written", "exact"), [("99.99%", "0.9999"), ("99.99", "0.9999"), ("99.999 %", "0.99999"), ("50%", "0.5")]
)
def test_an_objective_is_exact(written: str, exact: str) -> None:
    assert objective(written, Spot(Problems("f"))) == Decimal(exact)


@pytest.mark.parametrize("wrong", [99.9, 0.999, 1, True, "100%", "0.999", "1e1%", "NaN", "", None])
def test_an_objective_that_is_not_exact_or_can_never_fail_is_refused(wrong: object) -> None:
    with pytest.raises(Unread):
        objective(wrong, Spot(Problems("f")))


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), True, "nan", "0.1", None, -0.1, 1.1, "101%"])
def test_a_ratio_is_a_finite_number_or_per_cent(wrong: object) -> None:
    with pytest.raises(Unread):
        ratio()(wrong, Spot(Problems("f")))
    assert ratio()("10%", Spot(Problems("f"))) == ratio()(0.1, Spot(Problems("f")))


@pytest.mark.parametrize(
    ("written", "read"), [("250ms", 0.25), ("1m30s", 90), (0.25, 0.25), (2, 2), ("1d", 86_400), (1e-6, 1e-6)]
)
def test_a_threshold_is_a_duration_or_seconds(written: object, read: float) -> None:
    assert threshold("1d")(written, Spot(Problems("f"))) == read


@pytest.mark.parametrize(
    "wrong", [0, -1, "0s", "0.25", "-1s", "2d", 86_401, float("nan"), float("inf"), 10**400, True, None, "", [1]]
)
def test_a_threshold_of_nothing_or_beyond_all_measure_is_refused(wrong: object) -> None:
    spot = Spot(Problems("f"))
    with pytest.raises(Unread):
        threshold("1d")(wrong, spot)
    assert len(spot.problems.errors) == 1


@pytest.mark.parametrize("wrong", ["", " ", "1", "a +", "a\nb", "a\x1b[2J", "a" * 301, 3, None, ["a"], "a/0"])
def test_what_is_no_expression_is_refused(wrong: object) -> None:
    spot = Spot(Problems("f"))
    with pytest.raises(Unread):
        expression(wrong, spot)
    assert len(spot.problems.errors) == 1
    assert str(spot.problems.errors[0]).isprintable()


@pytest.mark.parametrize("wrong", [True, 1.0, "1", 0, 11])
def test_a_whole_number_is_neither_a_truth_nor_a_fraction(wrong: object) -> None:
    with pytest.raises(Unread):
        whole(1, 10)(wrong, Spot(Problems("f")))
