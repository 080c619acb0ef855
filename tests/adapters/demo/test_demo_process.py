"""Revisions differ for real: in their answers, their latency, their memory."""

from random import Random

import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.demo.builds import FINE, Fault, build_of
from adapters.demo.process import LEAK_LIMIT_BYTES, MEMORY_BYTES, Process, Temper

REQUESTS = 6_000


def process(service: str, revision: str, host: str = "h1") -> Process:
    return Process(service, revision, build_of(service, revision), Temper(7, host), Random(5))


def served(service: str, revision: str, requests: int = REQUESTS) -> tuple[Process, float, float]:
    """(the process, its error ratio, its p99 in seconds) after so many requests."""
    running = process(service, revision)
    answers = [running.begin() for _ in range(requests)]
    for code, due_s in answers:
        running.end(code, due_s)
    errors = sum(1 for code, _ in answers if code == 500)
    return running, errors / requests, sorted(due_s for _, due_s in answers)[int(0.99 * requests)]


def test_payments_r881_fails_one_request_in_five_and_r880_next_to_none() -> None:
    assert served("payments", "r881")[1] == pytest.approx(0.2, abs=0.02)
    assert served("payments", "r880")[1] < 0.005


def test_search_r885_is_slow_at_p99_and_not_in_the_middle() -> None:
    good, bad = served("search", "r884")[2], served("search", "r885")[2]
    assert good < 0.12
    assert bad > good + 0.15


def test_media_r208_holds_on_to_memory_up_to_its_limit_and_loses_it_at_a_restart() -> None:
    leaking, _, _ = served("media", "r208", requests=100)
    assert leaking.memory_bytes > MEMORY_BYTES * 1.3
    for _ in range(400):
        leaking.end(leaking.begin()[0], 0.01)
    assert leaking.memory_bytes <= MEMORY_BYTES * 1.1 + LEAK_LIMIT_BYTES
    assert process("media", "r208").memory_bytes < MEMORY_BYTES * 1.1
    assert served("media", "r207", requests=100)[0].memory_bytes < MEMORY_BYTES * 1.1


def test_unknown_revisions_are_fine_and_endings_work_for_every_service() -> None:
    assert build_of("cart", "r9999") == build_of("ledger", "r310") == FINE
    assert build_of("ledger", "r311").amounts_as_text
    assert not build_of("cart", "r1-broken").starts
    assert build_of("cart", "r1-hang").fault is Fault.HANG


def test_hosts_differ_a_little_and_for_good() -> None:
    tempers = [Temper(7, f"h{index}").latency for index in range(40)]
    assert 0.85 < min(tempers) < 0.99
    assert 1.01 < max(tempers) < 1.15
    assert Temper(7, "h3").latency == tempers[3]


def test_the_page_is_prometheus_text_with_every_signal_from_the_first_second() -> None:
    running, _, _ = served("cart", "r512", requests=50)
    unfinished, _ = running.begin()
    families = {family.name: family for family in text_string_to_metric_families(running.exposition())}
    assert set(families) >= {
        "http_requests",
        "http_request_duration_seconds",
        "http_requests_in_flight",
        "process_cpu_seconds",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "build_info",
    }
    assert sum(sample.value for sample in families["http_requests"].samples) == 50
    buckets = [sample for sample in families["http_request_duration_seconds"].samples if "le" in sample.labels]
    assert [sample.value for sample in buckets] == sorted(sample.value for sample in buckets)
    assert buckets[-1].labels["le"] == "+Inf"
    assert buckets[-1].value == 50
    assert families["http_requests_in_flight"].samples[0].value == 1
    assert families["build_info"].samples[0].labels == {"revision": "r512"}
    assert families["process_cpu_seconds"].samples[0].value > 0
    assert 'code="500"' in process("cart", "r512").exposition()
    assert unfinished in (200, 500)
