"""What services wrote on their hosts, each host by its service's own means."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from adapters.hosts.ssh.logs import SshLogs
from adapters.means import Means
from pipeline.model import Host
from pipeline.observed import HostFault
from pipeline.ports import Clock
from pipeline.text import PlainText, plain


class HostLogs:
    """`pipeline.ports.Logs`: by ssh, where the configuration says what to read.

    Args:
        ssh: None where no service is reached by it.
        means: of a host's service, and the service's name.
    """

    def __init__(self, ssh: SshLogs | None, means: Callable[[Host], tuple[str, Means]], clock: Clock) -> None:
        self._ssh, self._means, self._clock = ssh, means, clock

    async def tail(
        self, hosts: Sequence[Host], lines: int, timeout_s: float
    ) -> Mapping[str, tuple[PlainText, ...] | HostFault]:
        found = await asyncio.gather(*(self._one(host, lines, timeout_s) for host in hosts))
        return {host.name: told for host, told in zip(hosts, found, strict=True)}

    async def _one(self, host: Host, lines: int, timeout_s: float) -> tuple[PlainText, ...] | HostFault:
        service, its = self._means(host)
        if its.way is None or its.log is None or self._ssh is None:
            return HostFault(self._clock.monotonic(), plain(missing(service, by_ssh=its.way is not None)))
        return await self._ssh.tail(host, its.way, its.log, lines, deadline_s=timeout_s)


def missing(service: str, *, by_ssh: bool) -> str:
    """Why there are no lines, and what to write in the configuration."""
    section = f"[service.{service or 'NAME'}.logs]"
    if by_ssh:
        return f"nothing says where its log is: set {section} (unit, file or command)"
    return f'logs are read by ssh, and it is reached by its agent: set reach.by = "ssh" and {section}'
