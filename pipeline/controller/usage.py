"""What readiness lists go by over weeks, brought into the history: levels of CPU and memory, and callers."""

from collections.abc import Mapping
from datetime import datetime
from zlib import crc32

from pipeline.ports import Changes, Clock, History
from pipeline.readiness.build import at_hand
from pipeline.readiness.callers import Caller, kept
from pipeline.readiness.catalogue import PER_BUILD
from pipeline.readiness.ports import Scout
from pipeline.readiness.seen import NOTHING, Seen
from pipeline.readiness.use_meter import UseMeter
from pipeline.service.station import Station

KEEP_S = 300.0
"""As much is lost of what a killed controller has seen."""


class Usage:
    def __init__(self, history: History, clock: Clock, scout: Scout | None = None) -> None:
        self._history, self._clock, self._scout = history, clock, scout
        self._meters: dict[str, UseMeter] = {}
        self._due_s: dict[str, float] = {}
        self._called: dict[str, Mapping[str, datetime]] = {}
        """By service: callers that were kept, and when they were seen then."""

    def seen(self, station: Station) -> Seen:
        """What was looked at for its list."""
        try:
            return self._scout.seen(station.service, build_of(station)) if self._scout is not None else NOTHING
        except Exception:  # noqa: BLE001 - a scout that breaks has seen nothing, which passes no row
            return NOTHING

    def observe(self, station: Station) -> None:
        """Take in this tick's samples."""
        meter = self._meters.get(station.service.name)
        if meter is None:
            meter = self._meters[station.service.name] = UseMeter(station.service)
        names = [host.name for host in station.service.production]
        meter.observe(self._clock.now(), names, station.telemetry.samples)

    def keep(self, stations: Mapping[str, Station], *, whole: bool = False) -> None:
        """Those whose time has come, each at a moment of its own; or the `whole`. Raises `HistoryError`."""
        now_s = self._clock.monotonic()
        due = [name for name in stations if whole or now_s >= self._due_s.setdefault(name, now_s + _offset_s(name))]
        uses = tuple(one for name in due if name in self._meters for one in self._meters[name].pending())
        callers = {name: self._callers(stations[name]) for name in due}
        changes = Changes(uses=uses, callers=tuple(one for found in callers.values() for one in found))
        if changes:
            self._history.record(changes)
        for name in due:
            self._due_s[name] = now_s + KEEP_S
            if name in self._meters:
                self._meters[name].kept()
            if callers[name]:
                self._called[name] = {**self._called.get(name, {}), **{one.name: one.at for one in callers[name]}}

    def _callers(self, station: Station) -> tuple[Caller, ...]:
        """Seen since they were kept last."""
        name, listed = station.service.name, station.service.rules.readiness.clients
        if not station.service.rules.readiness.client_label:
            return ()
        seen = self.seen(station).callers
        before = {caller: at for caller, at in self._called.get(name, {}).items() if caller in seen}
        self._called[name] = before
        found = {caller: at for caller, at in seen.items() if before.get(caller) != at}
        return tuple(Caller(name, caller, found[caller]) for caller in kept(found, listed))


def build_of(station: Station) -> str:
    """The build that its list is about."""
    papers = station.docket
    words = [one for one in papers.attestations if one.item in PER_BUILD and one.revoked is None]
    return at_hand(station.rollout, station.stable, (*words, *papers.ci))


def _offset_s(service: str) -> float:
    return KEEP_S * (crc32(service.encode()) % 97) / 97
