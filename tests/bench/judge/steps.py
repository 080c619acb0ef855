"""What a monitoring system would show of a canary: one value a step and group, pooled over its hosts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pipeline.judge.columns import Columns, Floats
from pipeline.judge.trial import Trial
from pipeline.signals import Histogram, quantile


@dataclass(frozen=True)
class Step:
    """Sums of some looks over the hosts of a group; levels are means over those that answered."""

    seconds: float = 0.0
    requests: float = 0.0
    errors: float = 0.0
    cpu_s: float = 0.0
    host_s: float = 0.0
    memory: float = 0.0
    memories: int = 0
    latency: Mapping[tuple[float, ...], Floats] = field(default_factory=dict)

    def with_look(self, look: Columns, hosts: slice) -> "Step":
        latency = dict(self.latency)
        for kind in look.histograms.get("latency", ()):
            latency[kind.edges] = latency.get(kind.edges, 0.0) + np.nansum(kind.counts[hosts], axis=0)
        memory = look.gauges["memory"][hosts] if "memory" in look.gauges else np.array([])
        return Step(
            self.seconds + look.seconds,
            self.requests + _sum(look, "requests", hosts),
            self.errors + _sum(look, "errors", hosts),
            self.cpu_s + _sum(look, "cpu", hosts),
            self.host_s + float(np.nansum(look.host_s[hosts])),
            self.memory + float(np.nansum(memory)),
            self.memories + int(np.isfinite(memory).sum()),
            latency,
        )

    @property
    def error_ratio(self) -> float:
        return self.errors / self.requests if self.requests > 0 else float("nan")

    def latency_s(self, q: float) -> float:
        """From the edges that most requests were counted with."""
        if not self.latency:
            return float("nan")
        edges, counts = max(self.latency.items(), key=lambda kind: float(kind[1].sum()))
        found = quantile(Histogram(edges, tuple(counts.tolist())), q)
        return float("nan") if found is None else found

    @property
    def cores(self) -> float:
        return self.cpu_s / self.host_s if self.host_s > 0 else float("nan")

    @property
    def rps(self) -> float:
        """Of a host."""
        return self.requests / self.host_s if self.host_s > 0 else float("nan")

    @property
    def memory_bytes(self) -> float:
        return self.memory / self.memories if self.memories else float("nan")


def _sum(look: Columns, signal: str, hosts: slice) -> float:
    counts = look.counters.get(signal)
    return 0.0 if counts is None else float(np.nansum(counts[hosts]))


EMPTY = Step()


@dataclass(frozen=True)
class Groups:
    """Where each group stands in the columns."""

    canary: slice
    baseline: slice
    production: slice

    @classmethod
    def of(cls, trial: Trial) -> "Groups":
        first, second = len(trial.canary), len(trial.canary) + len(trial.baseline)
        return cls(slice(0, first), slice(first, second), slice(second, second + len(trial.production)))


def ticks_of(seconds: float, trial: Trial) -> int:
    """How many looks make a step of about `seconds`; one at least."""
    return max(round(seconds / trial.tick_s), 1)
