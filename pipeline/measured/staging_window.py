"""What the staging hosts did lately, kept as long as the longest limit on them looks back."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.signals import Sample, pool
from pipeline.staging import StagingMode, StagingRules

MOST = 5_000
"""Samples kept, whatever the window: a host's a tick."""


@dataclass(frozen=True, slots=True)
class _Kept:
    at_s: float
    revision: str
    sample: Sample


class StagingWindow:
    """Samples of a partial staging's hosts, by the revision that they ran; nothing where nothing limits them."""

    def __init__(self, rules: StagingRules) -> None:
        limits = rules.limits if rules.mode is StagingMode.PARTIAL else ()
        self._longest_s = max((limit.window_s for limit in limits), default=0.0)
        self._kept: deque[_Kept] = deque(maxlen=MOST)

    @property
    def wanted(self) -> bool:
        return self._longest_s > 0

    def add(self, now_s: float, runs: Mapping[str, str], samples: Mapping[str, Sample]) -> None:
        """`runs`: by staging host, the revision that it says it runs; "" where it says none."""
        if not self.wanted:
            return
        self._kept.extend(_Kept(now_s, its, samples[host]) for host, its in runs.items() if its and host in samples)
        while self._kept and now_s - self._kept[0].at_s > self._longest_s:
            self._kept.popleft()

    def of(self, revision: str, now_s: float, window_s: float) -> Sample:
        """Everything that hosts on `revision` did in the last `window_s`, as one."""
        found = [one.sample for one in self._kept if one.revision == revision and now_s - one.at_s <= window_s]
        return pool(found) if found else Sample()
