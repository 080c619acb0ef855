"""Queries as text, and as a real server reads them."""

import re
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.metrics.prometheus.queries import Labels, OwnQuery, ask, one_of, quoted, scraped, scraped_well
from adapters.metrics.source import Matcher, Op, SignalKind, SignalSource
from tests.adapters.metrics.prometheus.scraping import Scraping

LONG_S = 15.0
JOB = Labels("host", (Matcher("job", Op.EQUAL, "app"),))
ESCAPE = re.compile(r'\\(x[0-9a-f]{2}|[nrt"\\])')
NAMED = {"n": "\n", "r": "\r", "t": "\t"}


@pytest.fixture(scope="module")
def server(scraping: Scraping) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=scraping.url, timeout=LONG_S) as client:
        yield client


def unquoted(text: str) -> str:
    """As Go reads it, of what `quoted` uses."""
    assert '"' not in ESCAPE.sub("", text[1:-1])
    return ESCAPE.sub(
        lambda found: NAMED.get(found[1]) or (chr(int(found[1][1:], 16)) if found[1][0] == "x" else found[1]),
        text[1:-1],
    )


@given(st.text())
def test_a_string_has_one_line_no_bare_quote_and_the_same_meaning(text: str) -> None:
    query = quoted(text)
    assert not re.search(r"[\x00-\x1f\x7f]", query)
    assert unquoted(query) == text.encode("utf-8", "replace").decode()


@settings(max_examples=60)
@given(st.text(max_size=30))
def test_a_real_server_reads_a_string_as_it_was_meant(server: httpx.Client, text: str) -> None:
    # `$` is the one character that label_replace itself reads.
    query = f'label_replace(vector(1), "v", {quoted(text.replace("$", "$$"))}, "", "")'
    told = server.post("/api/v1/query", data={"query": query}).json()
    assert told["data"]["result"][0]["metric"].get("v", "") == text.encode("utf-8", "replace").decode()


@settings(max_examples=60)
@given(st.text(min_size=1, max_size=12), st.text(min_size=1, max_size=12))
def test_a_real_server_matches_the_named_values_and_no_others(server: httpx.Client, name: str, other: str) -> None:
    named, asked = (quoted(text.replace("$", "$$")) for text in (name, f"{name}|{other}"))
    pattern = quoted(one_of([name]))
    query = " or ".join(
        f'label_replace(label_replace(vector({at}), "v", {value}, "", ""), "hit", "y", "v", {pattern})'
        for at, value in enumerate((named, asked))
    )
    told = server.post("/api/v1/query", data={"query": query}).json()
    hits = [row["metric"].get("hit") for row in told["data"]["result"]]
    assert hits == ["y", None], told


@given(st.lists(st.text(min_size=1), min_size=1, max_size=5), st.text(min_size=1))
def test_a_pattern_of_values_matches_just_them(values: list[str], other: str) -> None:
    pattern = re.compile(one_of(values))
    assert all(pattern.fullmatch(value) for value in values)
    assert (pattern.fullmatch(other) is not None) == (other in values)


def test_a_counter_is_a_sum_by_host_and_nought_where_only_the_family_is() -> None:
    errors = SignalSource("errors", SignalKind.COUNTER, "x_total", (Matcher("code", Op.LIKE, "5.."),))
    assert ask(errors, JOB) == (
        'sum by (host) ({__name__="x_total",code=~"5..",job="app"}) '
        'or 0 * count by (host) ({__name__="x_total",job="app"})'
    )
    assert (
        ask(SignalSource("all", SignalKind.COUNTER, "x_total"), Labels()) == 'sum by (instance) ({__name__="x_total"})'
    )


def test_a_histogram_is_a_sum_by_host_and_edge_and_a_gauge_by_host() -> None:
    assert ask(SignalSource("l", SignalKind.HISTOGRAM, "took"), Labels()) == (
        'sum by (instance,le) ({__name__="took_bucket"})'
    )
    memory = SignalSource("m", SignalKind.GAUGE, "mem", (Matcher("area", Op.EQUAL, "heap"),))
    assert ask(memory, Labels(), ["a.b"]) == 'sum by (instance) ({__name__="mem",area="heap",instance=~"a\\\\.b"})'


def test_times_of_scrapes_come_from_the_server_or_from_a_recorded_series() -> None:
    assert scraped(JOB) == 'timestamp({__name__="up",job="app"})'
    assert scraped_well(JOB) == 'timestamp({__name__="up",job="app"}) * ({__name__="up",job="app"} != bool 0)'
    assert scraped(Labels(recorded=True)) == '{__name__="pithead:scraped:unix_seconds"}'
    assert scraped_well(Labels(recorded=True)) == '{__name__="pithead:scraped_well:unix_seconds"}'


def test_an_own_query_names_the_hosts_where_it_says_so() -> None:
    own = OwnQuery("own", SignalKind.COUNTER, "sum by (host) (x{$hosts})")
    assert ask(own, Labels("host")) == 'sum by (host) (x{host!=""})'
    assert ask(own, JOB, ["a", "b"]) == 'sum by (host) (x{job="app",host=~"a|b"})'
    assert ask(OwnQuery("own", SignalKind.COUNTER, "y"), JOB, ["a"]) == "y"


@pytest.mark.parametrize("label", ["", "a-b", "le", "__name__", 'x"', "1a", "a\n"])
def test_what_cannot_be_the_host_s_label_is_refused(label: str) -> None:
    with pytest.raises(ValueError, match=r"label|apart"):
        Labels(label)


@pytest.mark.parametrize(
    "signal",
    [
        SignalSource("a", SignalKind.COUNTER, "x_total", (Matcher("a", Op.UNLIKE, '\\d+"\n'),)),
        SignalSource("a", SignalKind.HISTOGRAM, "weird name\u00e9"),
        SignalSource("a", SignalKind.GAUGE, "m", (Matcher("a", Op.UNEQUAL, ""),)),
    ],
)
def test_a_real_server_takes_every_form_of_query(server: httpx.Client, signal: SignalSource) -> None:
    for text in (ask(signal, JOB), ask(signal, JOB, ["a", 'b"|(']), scraped(JOB), scraped_well(JOB, ["a"])):
        told = server.post("/api/v1/query", data={"query": text})
        assert told.status_code == 200, told.text
