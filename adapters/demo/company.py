"""The demo's company while it lasts: a folder, addresses, and the programs that live there."""

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from types import TracebackType
from typing import Self

from adapters.config import Settings, load, shifted
from adapters.demo.builds import Fault
from adapters.demo.lifeline import READY

READY_S = 120.0
"""For each program to start, on a machine that has much else to do; one that cannot ends at once."""
LEAVE_S = 3.0
"""Between SIGTERM and SIGKILL."""
OCTETS = range(20, 250)
LONGEST_FOLDER = 60
"""Unix sockets in it have paths of at most about 100 characters."""
TRIES = 5


class CompanyError(Exception):
    """The company cannot be set up; nothing is left of the attempt. Its text says what to do."""


class TooSlowError(CompanyError):
    """It would be no quicker at other addresses."""


class Company:
    """`async with Company(config) as company:` - a fleet that answers and customers that ask.

    Nothing of it outlives the block, however that ends: leaving it stops the programs and removes the
    folder, SIGTERM and SIGHUP cancel the task that entered it, and a parent that is killed takes the
    programs with it (`adapters.demo.lifeline`).
    """

    folder: Path
    """For this demo alone, 0700: its history, its sockets, its log."""
    second_octet: int
    """Every host answers at 127.N.*.*."""
    settings: Settings
    """The configuration with its addresses moved there."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._children: list[Process] = []
        self._signals: list[signal.Signals] = []
        self._leaving = False

    @property
    def log(self) -> Path:
        """What the programs had to say, errors above all."""
        return self.folder / "company.log"

    @property
    def control(self) -> Path:
        """Unix socket at which hosts are made to go wrong: `adapters.demo.fleet`."""
        return self.folder / "fleet.sock"

    async def __aenter__(self) -> Self:
        """Raises `CompanyError`, and what reading the configuration raises."""
        settings = load(self._config)
        self._heed_signals()
        try:
            self.folder = _folder()
            await self._move_in(settings)
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leave()

    async def make(self, host: str, fault: Fault) -> None:
        """Have a host go wrong, or well again with `Fault.NONE`. Raises `CompanyError`."""
        try:
            async with asyncio.timeout(READY_S):
                reader, writer = await asyncio.open_unix_connection(str(self.control))
                head = f"PUT /hosts/{host}/fault HTTP/1.1\r\nConnection: close\r\nContent-Length: {len(fault)}\r\n\r\n"
                writer.write(head.encode() + fault.encode())
                answer = await reader.read()
                writer.close()
        except OSError as error:
            raise CompanyError(f"{host}: the fleet does not answer: {error}") from error
        if not answer.startswith(b"HTTP/1.1 200 "):
            said = answer.partition(b"\r\n\r\n")[2].decode().strip()
            raise CompanyError(f"{host}: {said}")

    def _heed_signals(self) -> None:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()

        def told() -> None:
            if task is not None and not self._leaving:
                task.cancel()

        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_DFL:
                continue  # Somebody heeds it already.
            with suppress(ValueError, RuntimeError):  # Not in the main thread.
                loop.add_signal_handler(number, told)
                self._signals.append(number)

    async def _move_in(self, settings: Settings) -> None:
        said = ""
        for octet, _ in zip(_free_octets(settings), range(TRIES), strict=False):
            self.second_octet = octet
            self.settings = shifted(settings, octet)
            try:
                await self._start("fleet", "--control", str(self.control), "--tidy", str(self.folder))
                await self._start("traffic")
            except TooSlowError:
                raise
            except CompanyError as error:
                # Another demo may have taken the addresses since they were seen to be free.
                said = str(error)
                await self._stop()
            else:
                return
        if said:
            raise CompanyError(said)
        raise CompanyError("demo: no free addresses in 127.0.0.0/8: end other demos, or free the configuration's ports")

    async def _start(self, program: str, *arguments: str) -> None:
        with self.log.open("ab") as log:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                f"adapters.demo.{program}",
                f"--config={self._config.absolute()}",
                f"--second-octet={self.second_octet}",
                *arguments,
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
                process_group=0,
            )
        self._children.append(child)
        try:
            async with asyncio.timeout(READY_S):
                said = await child.stdout.readline() if child.stdout is not None else b""
        except TimeoutError:
            why = f"demo: its {program} has not come up within {READY_S:.0f} s: {self._last_words()}"
            raise TooSlowError(why) from None
        if said != READY:
            raise CompanyError(f"demo: its {program} does not start: {self._last_words()}")

    def _last_words(self) -> str:
        return (self.log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]

    async def _leave(self) -> None:
        self._leaving = True
        try:
            await self._stop()
        finally:
            loop = asyncio.get_running_loop()
            for number in self._signals:
                loop.remove_signal_handler(number)
            if hasattr(self, "folder"):
                shutil.rmtree(self.folder, ignore_errors=True)

    async def _stop(self) -> None:
        children, self._children = self._children, []
        try:
            for number in (signal.SIGTERM, signal.SIGKILL):
                for child in children:
                    _send(child, number)
                with suppress(TimeoutError):
                    async with asyncio.timeout(LEAVE_S):
                        await asyncio.gather(*(child.wait() for child in children))
                        return
        finally:
            for child in children:
                _send(child, signal.SIGKILL)
                if child.stdin is not None:
                    child.stdin.close()


def _send(child: Process, number: signal.Signals) -> None:
    """To the child's whole group; one that has ended is left in peace."""
    if child.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, number)


def _folder() -> Path:
    """A new folder with a short path. Raises OSError."""
    place = tempfile.gettempdir()
    short = "/tmp"  # noqa: S108 - mkdtemp makes a folder of its own in it, 0700
    if len(place) > LONGEST_FOLDER and Path(short).is_dir():
        place = short
    return Path(tempfile.mkdtemp(prefix="pithead-", dir=place))


def _free_octets(settings: Settings) -> Iterator[int]:
    """Second octets at which nothing listens yet, in random order."""
    octets = list(OCTETS)
    SystemRandom().shuffle(octets)
    return (octet for octet in octets if _is_free(settings, octet))


def _is_free(settings: Settings, octet: int) -> bool:
    for service in shifted(settings, octet).fleet.services.values():
        for host in service.hosts:
            name, _, port = host.address.rpartition(":")
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((name, int(port)))
                except OSError:
                    return False
    return True
