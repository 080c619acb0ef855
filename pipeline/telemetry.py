"""What the controller remembers of one service between two ticks.

A restart loses it: rates and charts begin anew, and hosts are warmed up and asked again before they are judged.
"""

from collections import deque
from collections.abc import Mapping, Sequence

from pipeline.judge.evidence import Evidence, Window
from pipeline.model import MetricKind, Service, Track
from pipeline.observed import HostFault, HostState, Observation
from pipeline.signals import Reading, Sample, between, decayed, pool
from pipeline.traffic_cycle import RATE_SLICES

KEEP = 0.9
"""Of the numbers on the fleet page, how much stays from one tick to the next."""


class Telemetry:
    """Readings become samples here: by host, of this tick, fresh ones only."""

    def __init__(self, service: Service, tick_s: float) -> None:
        self._tick_s = tick_s
        self.service = service
        self.seen: Mapping[str, Observation] = {}
        self.samples: dict[str, Sample] = {}
        """By host: what it did since its last reading."""
        self.recent = Sample()
        """Production as a whole, the last ticks weighing most: what the fleet page shows."""
        self.total = Sample()
        """Production as a whole, in this tick."""
        self.begun_at_s: float | None = None
        self.fresh_at_s: float | None = None
        self.fault = ""
        """Why there are no data, in a host's case."""
        self.rps = 0.0
        self._readings: dict[str, Reading] = {}
        self._since: dict[str, tuple[str, float]] = {}
        self._needed = _counters_of(service)
        self._production = tuple(host.name for host in service.production)
        self._rates = _Rates(service.rules.cycle.duration_s)

    def observe(
        self, now_s: float, seen: Mapping[str, Observation], readings: Mapping[str, Reading | HostFault]
    ) -> None:
        """Take in one tick's answers."""
        self.seen = seen
        if self.begun_at_s is None:
            self.begun_at_s = now_s
        self._note_revisions(now_s, seen)
        samples: dict[str, Sample] = {}
        stale_s = self.service.rules.judge.stale_s
        for host in self.service.hosts:
            name = host.name
            now = readings.get(name)
            if not isinstance(now, Reading):
                if now is not None:
                    self.fault = f"{name}: {now.why}"
                continue
            before = self._readings.get(name)
            self._readings[name] = now
            if before is not None and now_s - now.at_s <= stale_s and now.at_s - before.at_s <= stale_s:
                did = between(before, now)
                if did is None:
                    continue
                if self._needed <= did.counters.keys():
                    samples[name] = did
                elif before.counters.keys() >= self._needed:
                    self.fault = f"{name}: gives no {', '.join(sorted(self._needed - did.counters.keys()))}"
        self.samples = samples
        production = [samples[name] for name in self._production if name in samples]
        if production:
            self.fresh_at_s = now_s
            self.total = pool(production)
            self.recent = decayed(self.recent, self.total, KEEP)
            requests = self.total.counters.get(self.service.rules.budget.total, 0.0)
            span = self.total.host_s / len(production)
            self.rps = self._rates.add(now_s, span, requests)
        else:
            self.total = Sample()

    def _note_revisions(self, now_s: float, seen: Mapping[str, Observation]) -> None:
        for name, state in seen.items():
            if not isinstance(state, HostState):
                continue
            was = self._since.get(name)
            if was is None or was[0] != state.revision:
                self._since[name] = (state.revision, now_s)
                if was is not None:
                    self._readings.pop(name, None)

    def on(self, hosts: Sequence[str], revision: str) -> list[str]:
        """Those of `hosts` that say they run `revision`, healthy or not."""
        return [name for name in hosts if isinstance(s := self.seen.get(name), HostState) and s.revision == revision]

    def warm(self, hosts: Sequence[str], now_s: float) -> list[str]:
        """Those of `hosts` that have run what they run for longer than the warm-up."""
        warmup_s = self.service.rules.judge.cold_s
        return [name for name in hosts if name in self._since and now_s - self._since[name][1] >= warmup_s]

    def of(self, hosts: Sequence[str]) -> dict[str, Sample]:
        return {name: self.samples[name] for name in hosts if name in self.samples}

    def production_so_far(self) -> Evidence:
        """The last ticks of production: what a canary is held against where no other host runs."""
        return Evidence(whole=Window(1, control=self.recent)) if self.recent.host_s else Evidence()

    @property
    def busiest_rps(self) -> float:
        """In the last traffic cycle."""
        return self._rates.busiest


def _counters_of(service: Service) -> frozenset[str]:
    """Counters without which a host's ratios would come out too good: such a host gives no sample at all."""
    rules = service.rules
    ratios = [metric for metric in rules.judge.metrics if metric.kind is MetricKind.RATIO]
    return frozenset({rules.budget.total, rules.budget.bad, *(m.bad for m in ratios), *(m.total for m in ratios)})


class _Rates:
    """The service's request rate over slices of the cycle, for one cycle back."""

    def __init__(self, cycle_s: float) -> None:
        self._slice_s = cycle_s / RATE_SLICES
        self._slices: deque[tuple[float, float]] = deque(maxlen=RATE_SLICES)
        """(end, rps) of closed slices."""
        self._seconds = 0.0
        self._requests = 0.0
        self._rps = 0.0

    def add(self, now_s: float, seconds: float, requests: float) -> float:
        """The newest closed slice's rate, or what there is of the first."""
        self._seconds += seconds
        self._requests += requests
        if self._seconds >= self._slice_s:
            self._rps = self._requests / self._seconds
            self._slices.append((now_s, self._rps))
            self._seconds = self._requests = 0.0
        return self._rps

    @property
    def busiest(self) -> float:
        return max((rps for _, rps in self._slices), default=0.0)


def track_of(service: Service, new: frozenset[str], host: str) -> Track:
    """A production host that the release wants is its canary; the rest are what they are configured as."""
    if any(host == staging.name for staging in service.staging):
        return Track.STAGING
    return Track.CANARY if host in new else Track.PRODUCTION
