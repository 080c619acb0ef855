"""The reader of metrics pages, held against the reference parser."""

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Counter, Histogram
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics_page
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import CollectorRegistry

from adapters.metrics import exposition
from adapters.metrics.exposition import PageError, PageReader

Series = tuple[str, tuple[tuple[str, str], ...]]


def series(name: str, labels: Mapping[str, str]) -> Series:
    return name, tuple(sorted(labels.items()))


def reader(*names: str) -> PageReader[Series]:
    return PageReader(names, series)


def read(page: str, *names: str) -> list[tuple[Series, float]]:
    return reader(*names).read(page).samples


def reference(page: str, *names: str) -> list[tuple[Series, float]]:
    return [
        (series(sample.name, sample.labels), sample.value)
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name in names
    ]


def alike(ours: list[tuple[Series, float]], theirs: list[tuple[Series, float]]) -> bool:
    def key(item: tuple[Series, float]) -> tuple[Series, str]:
        return item[0], repr(float(item[1]))

    return sorted(map(key, ours)) == sorted(map(key, theirs))


names = st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,6}", fullmatch=True)
label_names = st.from_regex(r"_?[a-zA-Z][a-zA-Z0-9_]{0,4}", fullmatch=True)
label_values = st.text(
    st.one_of(st.sampled_from('"\\\n{}, #=\t'), st.characters(codec="utf-8", exclude_characters="\r")), max_size=8
)
values = st.one_of(
    st.floats().map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.sampled_from(["NaN", "+Inf", "-Inf", "1e3", "1.5E-3", "0"]),
)


def escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


@st.composite
def lines(draw: st.DrawFn) -> tuple[Series, str]:
    name = draw(names)
    labels = draw(st.dictionaries(label_names, label_values, max_size=3))
    text = name
    if labels or draw(st.booleans()):
        inside = draw(st.sampled_from([",", ", "])).join(f'{key}="{escaped(value)}"' for key, value in labels.items())
        text += "{" + inside + ("," if labels and draw(st.booleans()) else "") + "}"
    text += draw(st.sampled_from([" ", "  "])) + draw(values)
    text += draw(st.sampled_from(["", " 1700000000000", " -5"]))
    return series(name, labels), text


@given(st.lists(lines(), max_size=12, unique_by=lambda line: line[0]), st.randoms(use_true_random=False))
def test_pages_are_read_as_the_reference_parser_reads_them(found: list[tuple[Series, str]], rng) -> None:
    page = "".join(f"{text}\n" for _, text in found)
    wanted = sorted({name for (name, _), _ in found if rng.random() < 0.7}) or ["nothing"]
    ours = reader(*wanted)
    if not page:
        return
    for _ in range(2):
        again = ours.read(page)
        assert not again.bad
        assert alike(again.samples, reference(page, *wanted))


@given(st.text(st.one_of(st.sampled_from('ab{}="\\,# \t\n1.e+_'), st.characters(codec="utf-8")), max_size=60))
def test_no_page_whatsoever_is_fatal(text: str) -> None:
    page = reader("a", "b").read(text + "\n")
    assert all(isinstance(value, float) for _, value in page.samples)


def test_the_reference_clients_own_pages_are_read_with_exemplars() -> None:
    registry = CollectorRegistry()
    count = Counter("http_requests", "Requests", ["code"], registry=registry)
    count.labels("200").inc(3, exemplar={"trace_id": "a_b } 1"})
    took = Histogram("took_seconds", "Time", ["path"], registry=registry, buckets=(0.1, 1.0))
    took.labels('/a"} 7').observe(0.5, exemplar={"trace_id": "x_y"})
    page = openmetrics_page(registry).decode()
    wanted = ("http_requests_total", "took_seconds_bucket")
    theirs = [
        (series(sample.name, sample.labels), sample.value)
        for family in openmetrics_families(page)
        for sample in family.samples
        if sample.name in wanted
    ]
    assert len(theirs) == 4
    assert "# {" in page
    ours = reader(*wanted, "http_requests").read(page)
    assert alike(ours.samples, theirs)
    assert ours.declared == {"http_requests": "counter"}
    assert not ours.bad


def test_only_wanted_names_are_read_and_not_those_that_begin_like_them() -> None:
    page = "up 1\nup_total 2\nupper 3\nup:rate 4\nsup 5\n# HELP up 6\n# up 7\n"
    assert read(page, "up") == [(("up", ()), 1.0)]


def test_a_declared_family_without_samples_is_known() -> None:
    page = reader("errors_total").read("# HELP errors_total x\n# TYPE errors_total counter\nother 1\n")
    assert (page.declared, page.sampled) == ({"errors_total": "counter"}, set())


@pytest.mark.parametrize(
    "line",
    [
        "up",
        "up ",
        "up one",
        "up 1_000",
        "up \u0661",
        "up 1 soon",
        "up 1 2 3",
        "up{",
        'up{a="1" 1',
        'up{a="1",,b="2"} 1',
        'up{a="1"b="2"} 1',
        'up{a="1",a="2"} 1',
        "up{a=1} 1",
        'up{a="1\\"} 1',
        'up{1="1"} 1',
        'up{a="1"}',
        "up{} 0x10",
    ],
)
def test_a_bad_line_is_counted_under_its_name_and_skipped(line: str) -> None:
    page = reader("up", "down").read(f'down 1\n{line}\ndown{{a="b"}} 2\n')
    assert [value for _, value in page.samples] == [1.0, 2.0]
    assert page.bad == {"up": 1}


def test_a_series_that_comes_twice_however_it_is_spelled_is_bad() -> None:
    page = reader("up").read('up{a="1",b="2"} 1\nup{b="2", a="1",} 5\n')
    assert (len(page.samples), page.bad) == (1, {"up": 1})


@pytest.mark.parametrize("page", ["", "up 1", "up 1\nup{a=", "<html>"])
def test_a_page_that_breaks_off_is_refused(page: str) -> None:
    with pytest.raises(PageError):
        reader("up").read(page)


def test_carriage_returns_and_an_end_mark_do_no_harm() -> None:
    assert read('# TYPE up gauge\r\nup 1\r\nup{a="1"} 2 3\r\n# EOF', "up") == [
        (("up", ()), 1.0),
        (("up", (("a", "1"),)), 2.0),
    ]


def test_a_page_of_too_many_samples_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition, "SERIES_LIMIT", 3)
    ours = reader("up")
    with pytest.raises(PageError, match="more than 3 samples"):
        ours.read("".join(f'up{{a="{n}"}} 1\n' for n in range(4)))


def test_what_is_remembered_of_ever_new_series_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition, "SERIES_LIMIT", 3)
    ours = reader("up")
    for n in range(10):
        assert ours.read(f'up{{a="{n}"}} {n}\n').samples == [(("up", (("a", str(n)),)), float(n))]
        assert len(ours._known) <= 3


def test_a_line_of_100_kb_is_one_bad_line() -> None:
    page = reader("up").read("up " + "9 " * 50_000 + "\nup{a=" + '"' * 100_000 + "\n")
    assert page.bad == {"up": 2}


def test_not_a_number_and_infinities_are_values_for_the_caller_to_judge() -> None:
    found = [value for _, value in read('up NaN\nup{a="1"} +Inf\nup{a="2"} -Inf\n', "up")]
    assert math.isnan(found[0])
    assert found[1:] == [math.inf, -math.inf]
