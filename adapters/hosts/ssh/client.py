"""The user's own `ssh HOST`: one shared connection a host, few new ones at once, and no hurry after a failure."""

import asyncio
import hashlib
import math
import os
import random
import re
import shlex
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from adapters.hosts.ssh.backoff import Backoff
from adapters.hosts.ssh.faults import LASTING, Kind, SshFault, classified, hidden
from adapters.hosts.ssh.folder import SocketFolder
from adapters.hosts.ssh.jumps import Jumps
from adapters.hosts.ssh.process import OUTPUT_LIMIT, Feed, Heard, heard
from adapters.hosts.ssh.watching import Watched, watched
from pipeline.ports import Clock
from pipeline.text import plain

CLOSE_S = 2.0
CONFIGURATION_S = 5.0
HELPER = b"PITHEAD-"
"""How the helper's own lines begin."""
_SSH_FAILED = 255
_SOCKET_PATH = 100
"""Bytes of a path that every system takes for a socket; ssh itself goes by a relative one."""
_DESTINATION = re.compile(r"[A-Za-z0-9._:\[][A-Za-z0-9._@:/%+\[\]-]{0,254}\Z")


@dataclass(frozen=True, slots=True)
class SshSettings:
    program: str = "ssh"
    options: tuple[str, ...] = ()
    """More of ssh's own arguments, with absolute paths: `("-F", "/etc/pithead/ssh_config")`."""
    connections_at_once: int = 8
    """New ones, over all hosts; through one jump host at most 8 of them."""
    sessions_at_once: int = 8
    """On one connection; sshd allows 10 (MaxSessions)."""
    connect_s: float = 10.0
    login_s: float = 20.0
    """For the login and the shared connection to stand, once connected."""
    keep_s: float = 60.0
    """A connection that nobody uses is closed after that."""
    first_retry_s: float = 2.0
    longest_retry_s: float = 30.0
    retry_login_s: float = 60.0
    """After a failed login or a wrong host key; at once when a file of ssh's has changed that may have mended it."""


@dataclass(frozen=True, slots=True)
class Ran:
    """The far shell ended, or was heard out."""

    out: bytes
    err: bytes
    status: int | None
    begun: bool


class SshClient:
    """One event loop's connections; `close` it at the end.

    The sockets of shared connections are in a folder of its own below `run_dir`, and ssh runs in it, so that
    their names are short whatever the folder's is.
    """

    def __init__(self, settings: SshSettings, run_dir: Path, clock: Clock, rng: random.Random) -> None:
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._folder = SocketFolder(run_dir)
        self._gate = asyncio.Semaphore(settings.connections_at_once)
        self._jumps = Jumps(self._configuration, settings.connections_at_once)
        self._sessions: dict[str, asyncio.Semaphore] = {}
        self._connecting: dict[str, asyncio.Task[SshFault | None]] = {}
        self._backoff = Backoff(settings.first_retry_s, settings.longest_retry_s, settings.retry_login_s, rng)
        self._watched: dict[str, Watched] = {}
        """By destination, what may mend its fault."""
        self._met: set[str] = set()
        self._unshared: set[str] = set()

    def nonce(self) -> str:
        """To tell the helper's own lines from all else that a host says."""
        return f"{self._rng.getrandbits(64):016x}"

    async def run(self, destination: str, feed: Feed, *, deadline_s: float, urgent: bool = False) -> Ran | SshFault:
        """Feed a POSIX shell on `destination`, within `deadline_s` of real time.

        A host that could not be reached is answered for at once until it is due again; `urgent` tries it
        nevertheless, but never one that needs a person (login refused, wrong host key).
        """
        if not _DESTINATION.match(destination):
            return _fault(Kind.LOCAL, f'"{plain(destination, 60)}" is no host for ssh: give [user@]host or its alias')
        sessions = self._sessions.setdefault(destination, asyncio.Semaphore(self._settings.sessions_at_once))
        loop = asyncio.get_running_loop()
        deadline_s = max(deadline_s, 0.0)
        until_s = loop.time() + deadline_s
        try:
            async with asyncio.timeout(deadline_s):
                fault = await self._connected(destination, urgent=urgent)
                if fault is not None:
                    return fault
                await sessions.acquire()
        except TimeoutError:
            return _fault(
                Kind.BUSY, f"no connection yet after {round(deadline_s, 1):g} s: it goes on in the background"
            )
        try:
            return await self._spoken(destination, feed, max(until_s - loop.time(), 0.0), deadline_s)
        finally:
            sessions.release()

    async def close(self) -> None:
        """End the shared connections, and what is about to become one."""
        for task in self._connecting.values():
            task.cancel()
        await asyncio.gather(*self._connecting.values(), return_exceptions=True)
        await asyncio.gather(*(self._leave(destination) for destination in self._met if self._shared(destination)))
        self._folder.remove()

    def by_hand(self, destination: str, *more: str) -> str:
        """What a person types to go the same way."""
        return shlex.join([self._settings.program, *self._settings.options, *more, destination])

    async def _connected(self, destination: str, *, urgent: bool) -> SshFault | None:
        standing = self._backoff.standing(destination, self._clock.monotonic(), urgent=urgent)
        if standing is not None and not (standing.kind in LASTING and await self._mended(destination)):
            return standing
        if self._shared(destination) or destination in self._unshared:
            return None
        task = self._connecting.get(destination)
        if task is None:
            task = self._connecting[destination] = asyncio.create_task(self._connect(destination))
            task.add_done_callback(lambda _: self._connecting.pop(destination, None))
        # A slow login must not be begun anew by each of those that wait less for it.
        return await asyncio.shield(task)

    async def _connect(self, destination: str) -> SshFault | None:
        limit_s = self._settings.connect_s + self._settings.login_s
        self._met.add(destination)
        async with self._jumps.passed(destination), self._gate:
            got = await self._heard(destination, Feed(), limit_s)
            if isinstance(got, Heard) and got.status == _SSH_FAILED and hidden(got.err):
                got = await self._unhidden(destination, got, limit_s)
        if isinstance(got, SshFault):
            return got
        if self._shared(destination):
            self._backoff.reached(destination)
            return None
        if got.status not in (None, _SSH_FAILED):
            self._unshared.add(destination)
            self._backoff.reached(destination)
            return None
        if got.status is None:
            return await self._rested(destination, _fault(Kind.TIMED_OUT, f"timed out: no login in {limit_s:g} s"))
        return await self._failed(destination, got)

    async def _spoken(self, destination: str, feed: Feed, left_s: float, deadline_s: float) -> Ran | SshFault:
        if destination in self._unshared:
            async with self._jumps.passed(destination), self._gate:
                got = await self._heard(destination, feed, left_s)
        else:
            got = await self._heard(destination, feed, left_s)
        if isinstance(got, SshFault):
            return got
        reached = got.begun and bool(feed.ready)
        if feed.end and feed.end in got.out:
            return Ran(got.out, got.err, got.status, got.begun)
        if got.flooded:
            return _fault(Kind.OTHER, f"it says more than {OUTPUT_LIMIT // 1024} KiB, ended", reached=reached)
        if got.status is None:
            return _fault(Kind.TIMED_OUT, f"no answer in {round(deadline_s, 1):g} s, ended", reached=reached)
        if got.status != _SSH_FAILED:
            return Ran(got.out, got.err, got.status, got.begun)
        if reached or HELPER in got.out:
            said = got.err.strip().splitlines()
            return _fault(
                Kind.LOST, f"connection lost in mid-answer: {plain(said[-1] if said else b'')}", reached=reached
            )
        return await self._failed(destination, got)

    async def _failed(self, destination: str, got: Heard) -> SshFault:
        return await self._rested(destination, classified(got.err, partial(self.by_hand, destination)))

    async def _unhidden(self, destination: str, before: Heard, limit_s: float) -> Heard:
        """Once more without a shared connection, where one hides what the jump host's own ssh says."""
        argv = [*self._argv(destination, shared=False), "--", destination, "sh -s"]
        got = await self._run(argv, Feed(), limit_s)
        return got if isinstance(got, Heard) and got.status == _SSH_FAILED else before

    async def _configuration(self, destination: str) -> bytes:
        """What ssh would go by, as it prints it; b"" where it does not."""
        got = await self._run([*self._argv(destination), "-G", "--", destination], Feed(), CONFIGURATION_S)
        return got.out if isinstance(got, Heard) else b""

    async def _rested(self, destination: str, fault: SshFault) -> SshFault:
        self._jumps.forget(destination)
        if fault.kind in LASTING:
            async with self._gate:
                said = await self._configuration(destination)
            self._watched[destination] = await asyncio.to_thread(watched, self._settings.options, said)
        return self._backoff.failed(destination, fault, self._clock.monotonic())

    async def _mended(self, destination: str) -> bool:
        """Whether a file has changed since, by which its fault may be mended."""
        files = self._watched.get(destination)
        if files is None or not await asyncio.to_thread(files.changed):
            return False
        del self._watched[destination]
        return True

    async def _heard(self, destination: str, feed: Feed, deadline_s: float) -> Heard | SshFault:
        return await self._run([*self._argv(destination), "--", destination, "sh -s"], feed, deadline_s)

    async def _run(self, argv: Sequence[str], feed: Feed, deadline_s: float) -> Heard | SshFault:
        try:
            folder = self._folder.ready()
        except OSError as error:
            where = self._folder.path.parent
            return _fault(Kind.LOCAL, f"no folder for connections in {where}: {_reason(error)}: make it writable")
        try:
            return await heard(argv, feed, deadline_s=deadline_s, cwd=folder)
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and str(error.filename) == str(folder):
                return _fault(Kind.LOCAL, f"{folder}: {_reason(error)}: it is made anew with the next try")
            mend = "install openssh-client" if isinstance(error, FileNotFoundError) else "see [ssh] program"
            return _fault(Kind.LOCAL, f"{argv[0]} cannot be run: {_reason(error)}: {mend}")

    def _argv(self, destination: str, *, shared: bool = True) -> list[str]:
        fixed = {
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "ForwardAgent": "no",
            "ForwardX11": "no",
            "ClearAllForwardings": "yes",
            "RemoteCommand": "none",
            "LogLevel": "INFO",
            "ConnectTimeout": _whole(self._settings.connect_s),
            "ServerAliveInterval": "5",
            "ServerAliveCountMax": "3",
            "ControlMaster": "auto" if shared else "no",
            "ControlPersist": _whole(self._settings.keep_s) if shared else "no",
            "ControlPath": f"./{_socket_name(destination)}" if shared else "none",
        }
        options = [word for name, value in fixed.items() for word in ("-o", f"{name}={value}")]
        return [self._settings.program, "-T", *options, *self._settings.options]

    def _shared(self, destination: str) -> bool:
        """Whether a shared connection stands: somebody listens on its socket."""
        path = self._folder.path / _socket_name(destination)
        if not path.exists():
            return False
        if len(os.fsencode(path)) > _SOCKET_PATH:
            return True
        with socket.socket(socket.AF_UNIX) as probe:
            probe.setblocking(False)
            try:
                probe.connect(str(path))
            except BlockingIOError:
                return True
            except OSError:
                return False
        return True

    async def _leave(self, destination: str) -> None:
        argv = [*self._argv(destination), "-O", "exit", "--", destination]
        with suppress(OSError, ValueError):
            await heard(argv, Feed(), deadline_s=CLOSE_S, cwd=self._folder.path)


def _whole(seconds: float) -> str:
    """As ssh takes a time: it knows no fractions, and 0 is for ever."""
    return str(max(math.ceil(seconds), 1))


def _socket_name(destination: str) -> str:
    return hashlib.sha256(destination.encode()).hexdigest()[:16]


def _fault(kind: Kind, why: str, *, reached: bool = False) -> SshFault:
    return SshFault(kind, plain(why), reached)


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
