"""What runs behind the demo: the company, its controller and the script, in a process that is not the room's.

`python -m pithead.backstage --config FILE [--limit SECONDS]`, started by `pithead demo`. It speaks JSON lines on
standard output ({"ready": ...}, {"outcomes": ...}, {"failed": ...}) and clears everything away once its standard
input is closed at the other end: also when whoever watched the demo was killed.
"""

import argparse
import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from adapters.api.client import ApiRoom
from adapters.config import ConfigErrors
from adapters.demo.company import Company, CompanyError
from adapters.demo.outcomes import until_settled
from adapters.demo.past import write_past
from adapters.demo.script import run_script
from pipeline.ports import HistoryError
from pithead.clock import SystemClock
from pithead.out import dumps
from pithead.places import FULL
from pithead.sockets import Heard, hear

COMING_UP_S = 120.0
"""On a machine that has much else to do; one that cannot start ends at once, and says why."""
LOOK_EVERY_S = 0.05
AGAIN_S = 1.0
"""Before a controller that died is started again, as systemd would."""
LEAVE_S = 5.0


def tell(**said: object) -> None:
    sys.stdout.write(dumps(said) + "\n")
    sys.stdout.flush()


class Controller:
    """The demo's controller: a process of its own, started again whenever it dies."""

    def __init__(self, company: Company, config: Path) -> None:
        self.run_dir = company.folder / "run"
        self.log = company.folder / "controller.log"
        self._command = [sys.executable, "-m", "pithead", "controller", "--life-line"]
        self._command += ["--config", str(config), "--second-octet", str(company.second_octet)]
        self._command += ["--state-dir", str(company.folder / "state"), "--run-dir", str(self.run_dir)]
        self._process: Process | None = None
        self._history = company.folder / "state" / "history.db"
        self._settings = company.settings

    async def start(self) -> None:
        """Returns once it answers; the company's past is in its history then. Raises `CompanyError`."""
        clock = SystemClock()
        try:
            await asyncio.to_thread(write_past, self._history, self._settings, clock.now())
        except HistoryError as error:
            raise CompanyError(f"demo: its past cannot be written: {error}") from error
        await self._spawn()
        try:
            async with asyncio.timeout(COMING_UP_S):
                await self._answer()
        except TimeoutError:
            said = f"its controller has not come up within {COMING_UP_S:.0f} s: {self.last_words()}"
            raise CompanyError(f"demo: {said}") from None

    async def _answer(self) -> None:
        while hear(self.run_dir / FULL) is not Heard.ANSWER:
            if self._process is None or self._process.returncode is not None:
                raise CompanyError(f"demo: its controller does not start: {self.last_words()}")
            await asyncio.sleep(LOOK_EVERY_S)

    async def _spawn(self) -> None:
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(*self._command, stdin=PIPE, stdout=log, stderr=log)

    def last_words(self) -> str:
        said = self.log.read_text(errors="replace").strip().splitlines()
        return said[-1] if said else "it said nothing"

    async def keep(self) -> None:
        while self._process is not None:
            await self._process.wait()
            await asyncio.sleep(AGAIN_S)
            await self._spawn()

    async def stop(self) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(LEAVE_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


@asynccontextmanager
async def running(company: Company, config: Path) -> AsyncIterator[ApiRoom]:
    """The company with its controller and the script under way, as a room on it."""
    controller = Controller(company, config)
    try:
        await controller.start()
        room = ApiRoom(controller.run_dir / FULL)
        tasks = [asyncio.create_task(controller.keep()), asyncio.create_task(run_script(room, SystemClock()))]
        try:
            yield room
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError, Exception):
                    await task
            await room.close()
    finally:
        await controller.stop()


async def perform(config: Path, limit_s: float | None) -> None:
    """The whole demo, until standard input ends; with a limit, tells the outcomes once all has settled."""
    async with Company(config) as company, running(company, config) as room:
        tell(ready={"folder": str(company.folder), "run_dir": str(company.folder / "run"), "pid": os.getpid()})
        gone = asyncio.create_task(line_cut())
        if limit_s is None:
            await gone
            return
        watch = asyncio.create_task(until_settled(room, SystemClock(), limit_s=limit_s))
        await asyncio.wait((gone, watch), return_when=asyncio.FIRST_COMPLETED)
        if watch.done():
            tell(outcomes=watch.result())
            await gone
        watch.cancel()


async def line_cut() -> None:
    """Returns once standard input is closed at its other end."""
    loop = asyncio.get_running_loop()
    cut = asyncio.Event()
    loop.add_reader(0, lambda: cut.set() if not os.read(0, 4096) else None)
    try:
        await cut.wait()
    finally:
        loop.remove_reader(0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m pithead.backstage")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--limit", type=float, default=None, help="tell the outcomes, at the latest after so many s")
    args = parser.parse_args()
    try:
        asyncio.run(perform(args.config, args.limit))
    except (CompanyError, ConfigErrors, OSError, TimeoutError) as error:
        tell(failed=str(error).removeprefix("demo: ") or type(error).__name__)
        sys.exit(1)
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(1)


if __name__ == "__main__":
    main()
