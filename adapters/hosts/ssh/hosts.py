"""`HostFleet` over OpenSSH: a helper fed to the host's own shell, and nothing installed there."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from adapters.hosts.protocol import is_operation
from adapters.hosts.ssh.client import SshClient
from adapters.hosts.ssh.deploying import Deploying
from adapters.hosts.ssh.faults import SshFault
from adapters.hosts.ssh.recipes import Way
from adapters.hosts.ssh.script import Answers, Order, Verb, answers
from pipeline.events import Intent, Outcome, Result
from pipeline.model import Host
from pipeline.observed import HostFault, HostState, Observation
from pipeline.ports import Clock
from pipeline.text import PlainText, is_identifier, plain

_RESULTS = {"done": Result.DONE, "failed": Result.FAILED}


class SshHosts:
    """One event loop's view of the hosts; `close` it, and the client, at the end by `close`."""

    def __init__(self, client: SshClient, ways: Callable[[Host], Way], clock: Clock) -> None:
        self._client = client
        self._ways = ways
        self._clock = clock

    async def states(self, hosts: Sequence[Host], timeout_s: float) -> Mapping[str, Observation]:
        seen = await asyncio.gather(*(self._state(host, timeout_s) for host in hosts))
        return {host.name: observation for host, observation in zip(hosts, seen, strict=True)}

    async def deploy(self, host: Host, intent: Intent, token: int, deadline_s: float) -> Outcome:
        deploying = Deploying(self._client, self._clock, self._ways(host), host, intent, token)
        return await deploying.outcome(deadline_s)

    async def close(self) -> None:
        await self._client.close()

    async def _state(self, host: Host, timeout_s: float) -> Observation:
        try:
            order = Order(Verb.STATE, host.name, self._ways(host), self._client.nonce())
            ran = await self._client.run(host.ssh or host.name, order.feed(), deadline_s=timeout_s)
        except ValueError as error:
            return self._fault(str(error))
        if isinstance(ran, SshFault):
            return self._fault(ran.why)
        said = answers(ran, order.nonce, order.closing)
        if isinstance(said, SshFault):
            return self._fault(said.why)
        return self._read(said)

    def _read(self, said: Answers) -> Observation:
        if said["fault"]:
            return self._fault(said["fault"])
        revision, operation = said["revision"], said["operation"]
        if revision and not is_identifier(revision):
            return self._fault(f'malformed state: revision "{plain(revision, 60)}"')
        if operation and not is_operation(operation):
            return self._fault(f'malformed state: operation "{plain(operation, 60)}"')
        return HostState(
            at_s=self._clock.monotonic(),
            revision=revision,
            healthy=said["healthy"] == "yes" and bool(revision),
            operation=operation,
            result=_RESULTS.get(said["outcome"]) if operation else None,
            detail=_once(said["detail"], said["mark"], said["ill"]),
            available=frozenset(said.available),
        )

    def _fault(self, why: str) -> HostFault:
        return HostFault(self._clock.monotonic(), plain(why))


def _once(*parts: str) -> PlainText:
    """All that is told, and nothing of it again."""
    kept: list[str] = []
    for part in parts:
        if not any(part in said for said in kept):
            kept.append(part)
    return plain("; ".join(filter(None, kept)), 300)
