"""A service's metrics over time, for charts: few points, whatever the length of the release.

A new chart begins with a point every few ticks. Once it is full, neighbours are merged and a point stands
for twice the time, up to a 60th of the traffic cycle; from there the oldest points go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.judge.verdict import Judgement, MetricVerdict
from pipeline.model import MetricRule
from pipeline.signals import Sample, decayed, spread, value
from pipeline.view import MetricPane

POINTS = 180
TICKS_A_POINT = 2
POINTS_A_CYCLE = 60
FADE = 0.6
"""Of a point's counts, how much still weighs in the next: few requests make a ragged line."""

Point = tuple[float | None, float | None, float | None]
"""(canary, p10, p90)."""
Bounds = tuple[float | None, float, float | None] | None
"""(low, effect, high) of the difference to the control group."""
NOTHING: Point = (None, None, None)


@dataclass
class _Group:
    """Hosts of one side: what each did lately, faded."""

    hosts: dict[str, Sample] = field(default_factory=dict)

    def add(self, samples: Mapping[str, Sample], keep: float) -> None:
        """`keep`: how much of what they did before still weighs."""
        self.hosts = {
            name: decayed(self.hosts[name], sample, keep) if name in self.hosts else sample
            for name, sample in samples.items()
        }

    def values(self, metric: MetricRule) -> list[float]:
        return [found for sample in self.hosts.values() if (found := value(metric, sample)) is not None]


class Panes:
    """The charts of one service."""

    def __init__(self, metrics: Sequence[MetricRule], tick_s: float, cycle_s: float) -> None:
        self._metrics = tuple(metrics)
        self._tick_s = tick_s
        self._longest_s = max(cycle_s / POINTS_A_CYCLE, TICKS_A_POINT * tick_s)
        self.restart()

    def restart(self) -> None:
        """Begin anew, as a canary does."""
        self.step_s = TICKS_A_POINT * self._tick_s
        self._points: dict[str, list[Point]] = {metric.key: [] for metric in self._metrics}
        self._bounds: dict[str, list[Bounds]] = {metric.key: [] for metric in self._metrics}
        self._canary, self._production = _Group(), _Group()
        self._open_at: float | None = None
        self._said: Judgement | None = None
        """With the newest point."""
        self._drawn = True

    def add(
        self,
        now_s: float,
        canary: Mapping[str, Sample],
        production: Mapping[str, Sample],
        judgement: Judgement | None = None,
    ) -> None:
        """One tick's samples by host; `production` pooled under one name is a line instead of a band."""
        fresh = self._open_at is None or now_s - self._open_at >= self.step_s - self._tick_s / 2
        if fresh:
            self._draw()
            self._open_at = now_s
            for key in self._points:
                self._points[key].append(NOTHING)
                self._bounds[key].append(None)
        keep = FADE if fresh else 1.0
        self._canary.add(canary, keep)
        self._production.add(production, keep)
        self._said, self._drawn = judgement, False
        if fresh and len(next(iter(self._points.values()), ())) > POINTS:
            self._draw()
            self._shorten()

    def _draw(self) -> None:
        """Work out the newest point, which changes until it is closed: only then, or when somebody looks."""
        if self._drawn:
            return
        said = _by_key(self._said)
        for metric in self._metrics:
            self._points[metric.key][-1] = self._point(metric)
            self._bounds[metric.key][-1] = _bounds(said.get(metric.key))
        self._drawn = True

    def _point(self, metric: MetricRule) -> Point:
        mine = self._canary.values(metric)
        band = spread(self._production.values(metric))
        low, high = band if band is not None else (None, None)
        return (sum(mine) / len(mine) if mine else None, low, high)

    def _shorten(self) -> None:
        if 2 * self.step_s > self._longest_s:
            for key, points in self._points.items():
                del points[0]
                del self._bounds[key][0]
            return
        self.step_s *= 2
        # Bounds are of all looks so far: of two neighbours the later one says more.
        self._bounds = {key: bounds[1::2] + bounds[-1:] * (len(bounds) % 2) for key, bounds in self._bounds.items()}
        self._points = {key: _merged(points) for key, points in self._points.items()}

    def panes(self, judgement: Judgement | None) -> tuple[MetricPane, ...]:
        self._draw()
        found, panes = _by_key(judgement), []
        for rule in self._metrics:
            canary, low, high = zip(*self._points[rule.key], strict=True) if self._points[rule.key] else ((), (), ())
            word = found.get(rule.key)
            panes.append(
                MetricPane(
                    rule.key,
                    rule.title,
                    rule.unit,
                    self.step_s,
                    canary,
                    low,
                    high,
                    word.verdict if word is not None else None,
                    word.difference if word is not None else "",
                    word.limit if word is not None else "",
                    word.why if word is not None else "",
                    tuple(self._bounds[rule.key]),
                    word.limit_at if word is not None else None,
                    word.evidence if word is not None else 0.0,
                    word.alpha_spent if word is not None else 0.0,
                    word.window if word is not None else "",
                )
            )
        return tuple(panes)


def _by_key(judgement: Judgement | None) -> dict[str, MetricVerdict]:
    return {metric.key: metric for metric in judgement.metrics} if judgement is not None else {}


def _bounds(word: MetricVerdict | None) -> Bounds:
    return None if word is None or word.effect is None else (word.low, word.effect, word.high)


def _merged(points: Sequence[Point]) -> list[Point]:
    pairs = [points[at : at + 2] for at in range(0, len(points), 2)]
    return [
        (
            _over([canary for canary, _, _ in pair], mean=True),
            _over([low for _, low, _ in pair], lowest=True),
            _over([high for _, _, high in pair]),
        )
        for pair in pairs
    ]


def _over(values: Sequence[float | None], *, mean: bool = False, lowest: bool = False) -> float | None:
    known = [known for known in values if known is not None]
    if not known:
        return None
    return sum(known) / len(known) if mean else min(known) if lowest else max(known)
