"""The charts of a service's page: what a point stands for, whenever it is looked at."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measured.panes import POINTS, Panes
from pipeline.model import MetricKind, MetricRule
from pipeline.signals import Sample

TICK_S = 5.0
METRICS = (
    MetricRule("errors", "errors", MetricKind.RATIO, bad="errors", total="requests", unit="ratio"),
    MetricRule("restarts", "restarts", MetricKind.RESTARTS, unit="/h"),
)


def samples(rng: Random, restarts: float = 0.0) -> dict[str, Sample]:
    return {
        name: Sample(TICK_S, {"requests": 100.0, "errors": float(rng.randint(0, 9))}, restarts=restarts)
        for name in ("a", "b", "c")
    }


def drawn(panes: Panes) -> list[tuple[float | None, ...]]:
    return [line for pane in panes.panes(None) for line in (pane.canary, pane.low, pane.high)]


@given(st.integers(1, 2 * POINTS + 30), st.integers(0, 99), st.sets(st.integers(0, 400), max_size=30))
@settings(max_examples=12, deadline=None)
def test_a_chart_is_the_same_however_often_it_was_looked_at(ticks: int, seed: int, looked_at: set[int]) -> None:
    watched, alone = Panes(METRICS, TICK_S, 86_400.0), Panes(METRICS, TICK_S, 86_400.0)
    one, other = Random(seed), Random(seed)
    for tick in range(ticks):
        watched.add(tick * TICK_S, samples(one), samples(one))
        alone.add(tick * TICK_S, samples(other), samples(other))
        if tick in looked_at:
            drawn(watched)
    assert drawn(watched) == drawn(alone)


def test_the_newest_point_has_the_newest_tick_in_it() -> None:
    panes = Panes(METRICS, TICK_S, 86_400.0)
    panes.add(0.0, {"a": Sample(TICK_S, {"requests": 100.0, "errors": 0.0})}, {})
    assert panes.panes(None)[0].canary == (0.0,)
    panes.add(TICK_S, {"a": Sample(TICK_S, {"requests": 100.0, "errors": 10.0})}, {})
    assert panes.panes(None)[0].canary == (0.05,)


def test_a_restart_fades_from_the_chart_as_all_else_does() -> None:
    panes, rng = Panes(METRICS, TICK_S, 86_400.0), Random(1)
    for tick in range(60):
        panes.add(tick * TICK_S, samples(rng, restarts=float(tick == 2)), {})
    line = [point for point in panes.panes(None)[1].canary if point is not None]
    assert max(line) > 100
    assert line[-1] < 0.01 * max(line)
