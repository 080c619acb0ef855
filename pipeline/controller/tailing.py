"""Reading hosts' logs for whoever looks at them: beside the controller's rounds, never within them."""

import asyncio
from collections.abc import Sequence

from pipeline.commands import Refused
from pipeline.logs import DEADLINE_S, LONGEST_LINE, MOST_LINES, HostLog, LogPage, chosen
from pipeline.measured.telemetry import track_of
from pipeline.model import Host, Track
from pipeline.observed import HostFault
from pipeline.ports import Clock, Logs
from pipeline.release.targets import targets
from pipeline.service.station import Station
from pipeline.text import PlainText, plain

AT_ONCE = 4
"""Pages that are read at the same time; who comes then waits for a turn, within the deadline."""
HOSTS_S = 0.9
"""Of what is left of the deadline, the hosts' part: an answer late by a little is an answer still."""


class Tailing:
    """The logs of every service, for one event loop."""

    def __init__(self, logs: Logs | None, clock: Clock, deadline_s: float = DEADLINE_S) -> None:
        self._logs, self._clock, self._deadline_s = logs, clock, deadline_s
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def page(self, station: Station, lines: int, host: str = "") -> LogPage:
        """The newest `lines` of each host that is asked, or of `host` alone.

        Raises `Refused` for a host that the service has not, and where it took too long to get a turn.
        """
        name = station.service.name
        asked, left_out = self._asked(station, host)
        most = max(1, min(lines, MOST_LINES))
        ends_s = asyncio.get_running_loop().time() + self._deadline_s
        try:
            async with asyncio.timeout_at(ends_s):
                await self._turns.acquire()
        except TimeoutError:
            why = f"{AT_ONCE} others read logs, and there was no turn in {self._deadline_s:g} s"
            raise Refused(f"logs {name}", why, "ask again in a moment") from None
        try:
            found = await self._read(asked, most, ends_s)
        finally:
            self._turns.release()
        return LogPage(name, self._clock.now(), tuple(found), left_out)

    def _asked(self, station: Station, only: str) -> tuple[list[tuple[Host, Track]], int]:
        service, wanted = station.service, targets(station.service, station.rollout)
        tracked = [(host, track_of(service, wanted.new, host.name, wanted.beside)) for host in service.hosts]
        if not only:
            return chosen(tracked)
        found = [pair for pair in tracked if pair[0].name == only]
        if not found:
            what = f"logs {service.name}"
            raise Refused(what, f"it has no host {plain(only, 60)}", f"pithead status {service.name} --json names them")
        return found, 0

    async def _read(self, asked: Sequence[tuple[Host, Track]], lines: int, ends_s: float) -> list[HostLog]:
        if self._logs is None:
            return [HostLog(host.name, track, why="this controller reads no logs") for host, track in asked]
        left_s = ends_s - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(ends_s):
                told = await self._logs.tail([host for host, _ in asked], lines, left_s * HOSTS_S)
        except TimeoutError:
            told = {}
        except Exception as broken:  # noqa: BLE001 - an adapter that breaks leaves a page without lines
            why = plain(f"pithead itself failed: {type(broken).__name__}: {broken}")
            told = {host.name: HostFault(self._clock.monotonic(), why) for host, _ in asked}
        return [_log(host, track, told.get(host.name), lines, self._deadline_s) for host, track in asked]


def _log(
    host: Host, track: Track, told: tuple[PlainText, ...] | HostFault | None, lines: int, deadline_s: float
) -> HostLog:
    if told is None:
        return HostLog(host.name, track, why=f"no answer in {deadline_s:g} s")
    if isinstance(told, HostFault):
        return HostLog(host.name, track, why=told.why)
    kept = tuple(line[:LONGEST_LINE] for line in told[-lines:])
    return HostLog(host.name, track, kept, "" if kept else "its log is empty")
