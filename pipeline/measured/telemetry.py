"""What the controller remembers of one service between two ticks.

A restart loses it: rates and charts begin anew, and hosts are warmed up and asked again before they are judged.
"""

from collections import deque
from collections.abc import Mapping, Sequence

from pipeline.events import Result
from pipeline.judge.earlier import references
from pipeline.judge.trial import Reference
from pipeline.measured.staging_window import StagingWindow
from pipeline.model import MetricKind, Service, Track
from pipeline.observed import HostFault, HostState, Observation
from pipeline.signals import Reading, Sample, between, decayed, pool
from pipeline.traffic_cycle import RATE_SLICES

FIRST_S = 30.0
KEEP = 0.9
"""Of the numbers on the fleet page, how much stays from one tick to the next."""


class Telemetry:
    """Readings become samples here: by host, of this tick, fresh ones only."""

    def __init__(self, service: Service, tick_s: float) -> None:
        self._tick_s = tick_s
        self.service = service
        self.seen: Mapping[str, Observation] = {}
        self.measured = False
        """Whether the metrics were read in this tick: only then is there anything new to judge."""
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
        self.faults: dict[str, str] = {}
        """By host without a sample since: what its metrics lacked last."""
        self.rps = 0.0
        self._readings: dict[str, Reading] = {}
        self._runs: dict[str, tuple[str, str]] = {}
        """By host: the revision and the newest operation that it told of."""
        self._began_s: dict[str, float] = {}
        """By host: when its process began, where that was seen."""
        self._needed = _counters_of(service)
        self._production = tuple(host.name for host in service.production)
        self.staging = StagingWindow(service.rules.staging)
        self._rates = _Rates(service.rules.cycle.duration_s)

    def rehost(self, service: Service) -> None:
        """The same service with other hosts."""
        self.service = service
        self._production = tuple(host.name for host in service.production)
        names = {host.name for host in service.hosts}
        self._readings = {name: reading for name, reading in self._readings.items() if name in names}
        self._runs = {name: runs for name, runs in self._runs.items() if name in names}
        self._began_s = {name: began_s for name, began_s in self._began_s.items() if name in names}
        self.faults = {name: why for name, why in self.faults.items() if name in names}

    def observe(
        self, now_s: float, seen: Mapping[str, Observation], readings: Mapping[str, Reading | HostFault] | None
    ) -> None:
        """Take in one tick's answers; `readings` None: the metrics were not asked."""
        self.seen = seen
        if self.begun_at_s is None:
            self.begun_at_s = now_s
        self._note_revisions(now_s, seen)
        self.measured = readings is not None
        if readings is None:
            self.samples, self.total = {}, Sample()
            return
        samples: dict[str, Sample] = {}
        stale_s = self.service.rules.judge.stale_s
        for host in self.service.hosts:
            name = host.name
            now = readings.get(name)
            if not isinstance(now, Reading):
                if now is not None:
                    self._lacks(name, now.why)
                continue
            before = self._readings.get(name)
            self._readings[name] = now
            if before is not None and now_s - now.at_s <= stale_s and now.at_s - before.at_s <= stale_s:
                did = between(before, now)
                if did is None:
                    continue
                if did.restarts:
                    self._began_s[name] = before.at_s
                if self._needed <= did.counters.keys():
                    samples[name] = did
                    self.faults.pop(name, None)
                elif before.counters.keys() >= self._needed:
                    self._lacks(name, f"gives no {', '.join(sorted(self._needed - did.counters.keys()))}")
        self.samples = samples
        if self.staging.wanted:
            runs = {host.name: self._runs.get(host.name, ("", ""))[0] for host in self.service.staging}
            self.staging.add(now_s, runs, samples)
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

    def _lacks(self, name: str, why: str) -> None:
        self.faults[name] = why
        self.fault = f"{name}: {why}"

    def _note_revisions(self, now_s: float, seen: Mapping[str, Observation]) -> None:
        for name, state in seen.items():
            if not isinstance(state, HostState):
                continue
            was, runs = self._runs.get(name), (state.revision, state.operation if state.result is Result.DONE else "")
            if was is not None and was[0] != runs[0]:
                self._readings.pop(name, None)
            if was is not None and (was[0] != runs[0] or runs[1] not in {"", was[1]}):
                self._began_s[name] = now_s
            self._runs[name] = (runs[0], runs[1] or (was[1] if was is not None else ""))

    def on(self, hosts: Sequence[str], revision: str) -> list[str]:
        """Those of `hosts` that say they run `revision`, healthy or not."""
        return [name for name in hosts if isinstance(s := self.seen.get(name), HostState) and s.revision == revision]

    def age_s(self, host: str, now_s: float) -> float | None:
        """Since its process began; None where nobody saw it begin."""
        began_s = self._began_s.get(host)
        return None if began_s is None else now_s - began_s

    def past_start(self, hosts: Sequence[str], now_s: float) -> list[str]:
        """Those of `hosts` whose first moments, which no chart should be scaled by, are over."""
        least_s = min(self.service.rules.judge.cold_s, FIRST_S)
        return [name for name in hosts if (age := self.age_s(name, now_s)) is None or age >= least_s]

    def of(self, hosts: Sequence[str]) -> dict[str, Sample]:
        return {name: self.samples[name] for name in hosts if name in self.samples}

    def production_readings(self) -> dict[str, Reading]:
        """The newest ones that are not from before this tick's answers."""
        return {name: self._readings[name] for name in self._production if name in self.samples}

    def production_so_far(self) -> Mapping[str, Reference]:
        """The last ticks of production: what a canary is held against where no other host runs."""
        return references(self.service.rules.judge, self.recent)

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


def track_of(service: Service, new: frozenset[str], host: str, beside: frozenset[str] = frozenset()) -> Track:
    """A production host that the release wants is its canary; one that was restarted `beside` it, its baseline.

    The rest are what they are configured as.
    """
    if any(host == staging.name for staging in service.staging):
        return Track.STAGING
    if host in new:
        return Track.CANARY
    return Track.BASELINE if host in beside else Track.PRODUCTION
