"""One life of a service's process on a host: from a restart to the next, counters from nought."""

import hashlib
import time
from bisect import bisect_left
from collections import deque
from itertools import accumulate
from mmap import mmap
from random import Random

from adapters.demo.builds import Build, latency_of

EDGES_S = (0.005, 0.0075, 0.01, 0.015, 0.025, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5)
SPREAD = 0.32
"""Of the logarithm of latencies: p99 is about twice the median."""
HOST_SPREAD = 0.03
"""Of the logarithm of what sets hosts apart for good: hardware, neighbours."""
MEMORY_BYTES = 48 * 2**20
LEAK_LIMIT_BYTES = 64 * 2**20
"""A real leak on a real machine: this much of it, not more."""
EVERYDAY_ERRORS = 0.0015
"""Ratio of requests that fail whatever is deployed."""
HOSTS_A_CORE = 100
"""A demo host is a hundredth of a core, so its CPU seconds count a hundredfold."""
PAYLOAD = bytes(range(256)) * 64


class Temper:
    """What sets a host apart from its fellows, whatever it runs."""

    def __init__(self, seed: int, host: str) -> None:
        rng = Random(f"{seed}:{host}")  # noqa: S311 - a demo's dice
        self.latency = rng.lognormvariate(0.0, HOST_SPREAD)
        self.memory = rng.lognormvariate(0.0, HOST_SPREAD / 2)
        self.errors = rng.uniform(0.7, 1.3)


class Process:
    def __init__(self, service: str, revision: str, build: Build, temper: Temper, rng: Random) -> None:
        self.service = service
        self.revision = revision
        self.build = build
        self._temper = temper
        self._rng = rng
        self._median_s = latency_of(service) * temper.latency
        self._error_ratio = EVERYDAY_ERRORS * temper.errors + build.error_ratio
        self._started = time.time()
        self._codes = {200: 0, 500: 0}
        self._buckets = [0] * (len(EDGES_S) + 1)
        self._sum_s = 0.0
        self._cpu_s = 0.0
        self._held: deque[mmap] = deque()
        self.in_flight = 0

    def begin(self) -> tuple[int, float]:
        """Do a request's work; (its HTTP code, the seconds until its answer is due)."""
        began = time.thread_time()
        self.in_flight += 1
        build, rng = self.build, self._rng
        hashlib.sha256(PAYLOAD).digest()
        if build.leak_bytes and len(self._held) * build.leak_bytes < LEAK_LIMIT_BYTES:
            # Held, not written to: it is to be found by its memory, not by the CPU that filling it takes.
            self._held.append(mmap(-1, build.leak_bytes))
        code = 500 if rng.random() < self._error_ratio else 200
        due_s = self._median_s * rng.lognormvariate(0.0, SPREAD)
        if build.slow_ratio and rng.random() < build.slow_ratio:
            due_s += build.slow_s
        self._cpu_s += time.thread_time() - began
        return code, due_s

    def end(self, code: int, took_s: float) -> None:
        self.in_flight -= 1
        self._codes[code] += 1
        self._buckets[bisect_left(EDGES_S, took_s)] += 1
        self._sum_s += took_s

    @property
    def memory_bytes(self) -> int:
        return round(MEMORY_BYTES * self._temper.memory) + len(self._held) * self.build.leak_bytes

    def exposition(self) -> str:
        """The process's metrics in Prometheus' text format."""
        of = f'service="{self.service}"'
        cumulative = list(accumulate(self._buckets))
        seconds = "http_request_duration_seconds"
        lines = [
            "# TYPE http_requests_total counter",
            *(f'http_requests_total{{code="{code}",{of}}} {count}' for code, count in self._codes.items()),
            f"# TYPE {seconds} histogram",
            *(
                f'{seconds}_bucket{{{of},le="{edge:g}"}} {count}'
                for edge, count in zip(EDGES_S, cumulative, strict=False)
            ),
            f'{seconds}_bucket{{{of},le="+Inf"}} {cumulative[-1]}',
            f"{seconds}_sum{{{of}}} {self._sum_s:.6f}",
            f"{seconds}_count{{{of}}} {cumulative[-1]}",
            "# TYPE http_requests_in_flight gauge",
            f"http_requests_in_flight {self.in_flight}",
            "# TYPE process_cpu_seconds_total counter",
            f"process_cpu_seconds_total {self._cpu_s * HOSTS_A_CORE:.6f}",
            "# TYPE process_resident_memory_bytes gauge",
            f"process_resident_memory_bytes {self.memory_bytes}",
            "# TYPE process_start_time_seconds gauge",
            f"process_start_time_seconds {self._started:.3f}",
            "# TYPE build_info gauge",
            f'build_info{{revision="{self.revision}"}} 1',
        ]
        return "\n".join(lines) + "\n"
