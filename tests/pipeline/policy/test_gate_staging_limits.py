"""A build in partial staging that is worse than its limits goes back by itself; nothing else does."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from pipeline.events import Result
from pipeline.lifecycle import Phase
from pipeline.measured.staging_window import MOST, StagingWindow
from pipeline.measured.telemetry import Telemetry
from pipeline.model import JudgeRules, MetricKind, MetricRule, Rules, Worse
from pipeline.observed import HostState
from pipeline.policy.staging_limits import failing
from pipeline.signals import Histogram, Reading, Sample
from pipeline.staging import StagingLimit, StagingMode, StagingRules
from tests.pipeline.policy.given import a_rollout, a_service

METRICS = (
    MetricRule("errors", "error rate", MetricKind.RATIO, bad="errors", total="requests", unit="ratio"),
    MetricRule("p99", "latency p99", MetricKind.QUANTILE, of="latency", unit="s"),
    MetricRule("hits", "cache hits", MetricKind.RATIO, bad="hits", total="requests", unit="ratio", worse=Worse.LOWER),
    MetricRule("memory", "memory", MetricKind.GAUGE, of="memory", unit="bytes"),
)
PARTIAL = StagingRules(
    mode=StagingMode.PARTIAL,
    limits=(
        StagingLimit("errors", 0.05, window_s=60),
        StagingLimit("p99", 0.5, window_s=60),
        StagingLimit("hits", 0.5, window_s=60),
        StagingLimit("memory", 2e9, window_s=60),
    ),
)
SERVICE = a_service(Rules(staging=PARTIAL, judge=JudgeRules(metrics=METRICS)))
HERE = {"stg-1": "r878"}
STAGED = a_rollout(Phase.STAGING_CHECKS)


def window(**counters: float) -> StagingWindow:
    filled = StagingWindow(PARTIAL)
    filled.add(100.0, HERE, {"stg-1": sample(**counters)})
    return filled


def sample(**counters: float) -> Sample:
    return Sample(5.0, {"requests": 100.0, "errors": 0.0, "hits": 90.0, **counters}, {"memory": 1e9})


def test_more_errors_than_the_limit_go_back_with_the_numbers() -> None:
    said = failing(SERVICE, STAGED, window(errors=6.0), 101.0)
    assert said == "staging limit: error rate 6.00 % is above 5.00 % over 1 min, 100 requests"
    assert failing(SERVICE, STAGED, window(errors=5.0), 101.0) == ""


def test_a_metric_that_is_worse_lower_and_a_slow_one_and_a_level_count_too() -> None:
    assert failing(SERVICE, STAGED, window(hits=49.0), 101.0).startswith("staging limit: cache hits 49.00 % is below")
    slow = StagingWindow(PARTIAL)
    slow.add(100.0, HERE, {"stg-1": replace(sample(), histograms={"latency": Histogram((0.1, 1.0), (10.0, 90.0))})})
    assert failing(SERVICE, STAGED, slow, 101.0).startswith("staging limit: latency p99 ")
    big = StagingWindow(PARTIAL)
    big.add(100.0, HERE, {"stg-1": replace(sample(), gauges={"memory": 4e9})})
    assert failing(SERVICE, STAGED, big, 101.0).startswith("staging limit: memory 3815 MiB is above 1907 MiB")


def test_too_few_requests_tell_nothing() -> None:
    assert failing(SERVICE, STAGED, window(requests=19.0, errors=19.0), 101.0) == ""
    assert failing(SERVICE, STAGED, window(requests=20.0, errors=19.0), 101.0) != ""


def test_what_is_older_than_the_window_or_of_another_build_tells_nothing_of_this_one() -> None:
    assert failing(SERVICE, STAGED, window(errors=50.0), 161.0) == ""
    other = StagingWindow(PARTIAL)
    other.add(100.0, {"stg-1": "r877"}, {"stg-1": sample(errors=50.0)})
    assert failing(SERVICE, STAGED, other, 101.0) == ""


@pytest.mark.parametrize("phase", Phase)
def test_only_a_build_in_staging_goes_back_by_them(phase: Phase) -> None:
    staged = phase in {Phase.STAGING_DEPLOY, Phase.STAGING_CHECKS}
    assert bool(failing(SERVICE, a_rollout(phase), window(errors=50.0), 101.0)) is staged


def test_full_staging_has_no_limits_and_keeps_no_samples() -> None:
    full = replace(PARTIAL, mode=StagingMode.FULL)
    kept = StagingWindow(full)
    kept.add(100.0, HERE, {"stg-1": sample(errors=50.0)})
    assert kept.of("r878", 101.0, 60.0) == Sample()
    service = a_service(Rules(staging=full, judge=JudgeRules(metrics=METRICS)))
    assert failing(service, STAGED, window(errors=50.0), 101.0) == ""


def test_a_limit_on_a_metric_that_is_not_there_undoes_nothing() -> None:
    odd = replace(PARTIAL, limits=(StagingLimit("saturation", 0.1),))
    service = a_service(Rules(staging=odd, judge=JudgeRules(metrics=METRICS)))
    assert failing(service, STAGED, window(errors=50.0), 101.0) == ""


def test_the_window_is_bounded() -> None:
    kept = StagingWindow(PARTIAL)
    for _ in range(MOST + 50):
        kept.add(100.0, HERE, {"stg-1": sample()})
    assert kept.of("r878", 100.0, 60.0).counters["requests"] == 100.0 * MOST


def test_the_telemetry_fills_it_with_what_staging_hosts_did_on_their_revision() -> None:
    telemetry = Telemetry(SERVICE, 5.0)

    def seen(at_s: float, revision: str) -> Mapping[str, HostState]:
        return {"stg-1": HostState(at_s, revision, True, f"{revision}.stg-1.1", Result.DONE)}

    for at_s, revision, errors in ((0.0, "r877", 0.0), (5.0, "r877", 40.0), (10.0, "r878", 0.0), (15.0, "r878", 10.0)):
        counters = {"requests": 20 * at_s, "errors": errors, "hits": 0.0}
        telemetry.observe(at_s, seen(at_s, revision), {"stg-1": Reading(at_s, counters)})
    assert telemetry.staging.of("r878", 15.0, 60.0).counters["errors"] == 10.0
    assert telemetry.staging.of("r877", 15.0, 60.0).counters["errors"] == 40.0
