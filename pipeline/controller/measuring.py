"""When the metrics are read, and of which hosts they must be new: looks follow them."""

from collections.abc import Mapping, Sequence

from pipeline.model import Fleet, Host
from pipeline.observed import HostFault
from pipeline.ports import Clock, Metrics
from pipeline.service.station import Station
from pipeline.signals import Reading

ENOUGH_TICKS = 3
"""A tick that comes later than this many counts as one that late: a frozen controller has watched nothing."""
ON_SCREEN_S = 30.0
"""A page is taken for open so long after it was asked for."""


class Measuring:
    """The metrics at their own pace, for the controller's one event loop."""

    def __init__(self, metrics: Metrics, fleet: Fleet, clock: Clock) -> None:
        self._metrics, self._fleet, self._clock = metrics, fleet, clock
        self._read_s: float | None = None
        self._shown_s: dict[str, float] = {}
        """By service: when its page was last asked for."""
        self.look_s = 0.0
        """Between the last two readings; 0 in a tick without one."""

    def shown(self, service: str) -> None:
        """Somebody looks at this service."""
        self._shown_s[service] = self._clock.monotonic()

    async def readings(
        self, hosts: Sequence[Host], timeout_s: float, stations: Mapping[str, Station]
    ) -> Mapping[str, Reading | HostFault] | None:
        """Of all `hosts`, where it is time for them; else None."""
        now_s, apart_s, tick_s = self._clock.monotonic(), self._fleet.apart_s, self._fleet.tick_s
        since_s = None if self._read_s is None else now_s - self._read_s
        self.look_s = 0.0
        # Half a tick early is nearer to the time than half a tick late; without a longer rhythm it is every tick.
        if since_s is not None and apart_s > tick_s and since_s < apart_s - tick_s / 2:
            return None
        if since_s is not None:
            self.look_s = min(since_s, ENOUGH_TICKS * apart_s)
        self._read_s = now_s
        self._metrics.focus(self._in_focus(stations, now_s))
        return await self._metrics.readings(hosts, timeout_s)

    def _in_focus(self, stations: Mapping[str, Station], now_s: float) -> set[str]:
        """Hosts of services that are in the middle of something, or on somebody's screen."""
        seen = (name for name, at_s in self._shown_s.items() if now_s - at_s <= ON_SCREEN_S)
        names = {name for name, station in stations.items() if station.active}.union(seen)
        return {host.name for name in names for host in stations[name].service.hosts}
