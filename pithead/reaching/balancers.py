"""Each balancer's socket: may we drain there, and is every host's server there and serving? Nothing is set."""

from collections.abc import Mapping, Sequence

from adapters.balancer.answers import BalancerFault, Server
from adapters.balancer.haproxy import HaproxySocket
from adapters.balancer.seat import Seat
from adapters.means import SeatRule
from pipeline.model import Host, Pool
from pipeline.text import plain
from pithead.outside import seat
from pithead.reaching.reached import Kind, Reached, Wrong, told

ADMIN = "admin"
LEVELS = ("user", "operator", ADMIN)
NOT_TRIED = "not tried"


class _Levelled(HaproxySocket):
    """A socket that can say what it lets us do."""

    async def level(self) -> str:
        """user, operator or admin; "not tried" where HAProxy is too old to say (1.9). Raises `BalancerFault`."""
        said = (await self._ask("show cli level")).strip().lower()
        return said if said in LEVELS else NOT_TRIED


async def balancer(service: str, rule: SeatRule, address: str, hosts: Sequence[Host]) -> list[Reached]:
    """One socket, with those of the service's hosts that sit there."""
    seats = [(host, seat(rule, host)) for host in hosts if rule.staging or host.pool is not Pool.STAGING]
    socket = _Levelled(address, rule.timeout_s)
    try:
        level = await socket.level()
        servers = await socket.servers(rule.backend)
    except BalancerFault as fault:
        return told(Kind.BALANCER, service, address, [_fault(fault, address)], "")
    wrong = _level(level)
    for host, its in seats:
        wrong += _seat(host, its, servers)
    up = f"backend {rule.backend}: {len(seats)} of {len(seats)} servers up"
    return told(Kind.BALANCER, service, address, wrong, f"level {level}, {up}")


def _level(level: str) -> list[Wrong]:
    if level in (ADMIN, NOT_TRIED):
        return []
    return [Wrong(f'level "{level}": it lets nobody drain', 'give its "stats socket" line "level admin"')]


def _seat(host: Host, its: Seat, servers: Mapping[str, Server]) -> list[Wrong]:
    server = servers.get(its.server)
    who = f"{its.name} ({host.name})"
    if server is None:
        return [Wrong(f"no server {who}", "correct balancer.server, or add it to HAProxy's configuration")]
    if server.maint:
        return [Wrong(f"{who} is in maintenance", f"set server {its.name} state ready, if nobody means it")]
    if server.drained:
        return [Wrong(f"{who} is drained", f"set server {its.name} state ready, unless a deploy is under way")]
    if not server.up:
        return [Wrong(f"{who} is down by HAProxy's own check", "see whether it serves, and HAProxy's check of it")]
    if server.weight == 0:
        return [Wrong(f"{who} has weight 0: it gets no requests", f"set server {its.name} weight 1, or more")]
    return []


def _fault(fault: BalancerFault, address: str) -> Wrong:
    """The adapter says itself what to do, behind the last colon."""
    why = plain(fault.why.removeprefix(f"balancer {address}: "))
    said, mark, mend = why.rpartition(": ")
    return Wrong(said, mend) if mark else Wrong(why, "see whether HAProxy runs, and [haproxy.NAME] sockets")
