"""What a service's hosts do while no release is judged, a stretch at a time: the judge's history of them.

A stretch is the difference of two readings, so that it costs something only when it ends.
"""

from collections.abc import Mapping
from datetime import datetime

from pipeline.judge.look import Group, HostLook, Look, Recorded
from pipeline.model import Service
from pipeline.signals import Reading, between

LONGEST_STEP_S = 60.0
STEPS_A_CYCLE = 1_440


class Recorder:
    """Of one service."""

    def __init__(self, service: Service, tick_s: float, offset: float = 0.0) -> None:
        self._service = service
        self.step_s = max(tick_s, min(LONGEST_STEP_S, service.rules.cycle.duration_s / STEPS_A_CYCLE))
        self._due_s: float | None = None
        self._offset_s = offset * self.step_s
        """So that not all services come to an end in the same tick; a ratio of the step."""
        self._since: dict[str, Reading] = {}
        self._began_s = 0.0

    def pause(self) -> None:
        """A release is being judged: hosts are not what they are otherwise."""
        self._due_s = None

    def take(self, now_s: float, now: datetime, readings: Mapping[str, Reading]) -> Recorded | None:
        """The stretch that has ended, if one has. `readings` are the newest ones by production host."""
        if self._due_s is None:
            self._begin(now_s, readings, self._offset_s)
            return None
        if now_s < self._due_s:
            return None
        hosts = {}
        for name, reading in readings.items():
            before = self._since.get(name)
            did = between(before, reading) if before is not None else None
            if did is not None:
                hosts[name] = HostLook(Group.PRODUCTION, did)
        seconds = now_s - self._began_s
        self._begin(now_s, readings, 0.0)
        return Recorded(self._service.name, now, Look(seconds, hosts)) if hosts else None

    def _begin(self, now_s: float, readings: Mapping[str, Reading], more_s: float) -> None:
        self._since, self._began_s = dict(readings), now_s
        self._due_s = now_s + self.step_s + more_s
