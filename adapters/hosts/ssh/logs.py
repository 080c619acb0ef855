"""The last lines that a service wrote on a host."""

from dataclasses import dataclass

from adapters.hosts.ssh.client import SshClient
from adapters.hosts.ssh.faults import SshFault
from adapters.hosts.ssh.recipes import Way
from adapters.hosts.ssh.script import Order, Verb, answers
from adapters.hosts.ssh.words import path, word
from pipeline.model import Host
from pipeline.observed import HostFault
from pipeline.ports import Clock
from pipeline.text import PlainText, plain

MOST_LINES = 1_000


@dataclass(frozen=True, slots=True)
class Journal:
    """A unit's lines of the systemd journal."""

    unit: str

    def __post_init__(self) -> None:
        word(self.unit)

    def argv(self, lines: int) -> tuple[str, ...]:
        return ("journalctl", f"--unit={self.unit}", f"--lines={lines}", "--no-pager", "--output=short-iso")


@dataclass(frozen=True, slots=True)
class File:
    """A file on the host, by its absolute path."""

    path: str

    def __post_init__(self) -> None:
        path(self.path)
        if not self.path.startswith("/"):
            raise ValueError(f'log file "{plain(self.path, 60)}": must begin with /')

    def argv(self, lines: int) -> tuple[str, ...]:
        return ("tail", "-n", str(lines), self.path)


@dataclass(frozen=True, slots=True)
class Argv:
    """A command that prints them; {service} and {host} are filled."""

    command: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.command:
            raise ValueError("log command: give it as a list of words")

    def argv(self, lines: int) -> tuple[str, ...]:
        return self.command


Source = Journal | File | Argv


class SshLogs:
    def __init__(self, client: SshClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    async def tail(
        self, host: Host, way: Way, source: Source, lines: int, *, deadline_s: float
    ) -> tuple[PlainText, ...] | HostFault:
        """The last `lines` lines, at most `MOST_LINES`, oldest first, each cleaned and cut at 500 characters."""
        most = max(1, min(lines, MOST_LINES))
        try:
            order = Order(Verb.LOGS, host.name, way, self._client.nonce(), log=source.argv(most), lines=most)
            ran = await self._client.run(host.ssh or host.name, order.feed(), deadline_s=deadline_s)
        except ValueError as error:
            return self._fault(str(error))
        said = ran if isinstance(ran, SshFault) else answers(ran, order.nonce, order.closing)
        if isinstance(said, SshFault):
            return self._fault(said.why)
        kept = said.lines
        while kept and not kept[-1].strip():
            kept = kept[:-1]
        if said["status"] not in {"0", ""}:
            return self._fault(f"no log: exit {said['status']}{': ' if kept else ''}{kept[-1] if kept else ''}")
        return kept[-most:]

    def _fault(self, why: str) -> HostFault:
        return HostFault(self._clock.monotonic(), plain(why, 300))
