"""Every host of the company in one process: `python -m adapters.demo.fleet --config PATH --second-octet N`.

With `--control SOCKET`, a unix socket at which hosts can be made to go wrong:
`curl --unix-socket SOCKET -X PUT -d hang http://demo/hosts/cart-fra1-1/fault`.
"""

import argparse
import asyncio
import contextlib
import gc
import json
import resource
import shutil
from collections.abc import Iterable
from pathlib import Path

from adapters.config import DemoSettings, load, shifted
from adapters.demo.builds import Fault
from adapters.demo.host import DemoHost
from adapters.demo.lifeline import say_ready, until_told
from adapters.demo.serve import JSON, Answer, Connection, Request, reply
from pipeline.model import Service

FILES = 8192
"""Open files allowed: a listener a host, and everybody's connections to it."""


class DemoFleet:
    """Listens on every host's address between `start` and `close`."""

    def __init__(self, services: Iterable[Service], restart_s: float, seed: int) -> None:
        self.hosts = {
            host.name: DemoHost(service.name, host, service.revision, restart_s, seed)
            for service in services
            for host in service.hosts
        }
        self._control: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self._changes: set[asyncio.Task[None]] = set()

    async def start(self, control: Path | None = None) -> None:
        """Raises OSError if an address is taken; then nothing listens."""
        try:
            for host in self.hosts.values():
                await host.start()
            if control is not None:
                loop = asyncio.get_running_loop()
                self._control = await loop.create_unix_server(
                    lambda: Connection(self._controlled, self._connections), str(control)
                )
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        for host in self.hosts.values():
            host.close()
        if self._control is not None:
            self._control.close()
        for connection in list(self._connections):
            connection.abort()

    def _controlled(self, request: Request, answer: Answer) -> None:
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["hosts"]:
                answer(reply(200, json.dumps({name: host.fault for name, host in self.hosts.items()}), JSON))
            case "PUT", ["hosts", name, "fault"] if name in self.hosts:
                try:
                    fault = Fault(request.body.decode("ascii", "replace").strip())
                except ValueError:
                    answer(reply(400, f"a fault is one of: {', '.join(Fault)}\n"))
                    return
                change = asyncio.get_running_loop().create_task(self._become(self.hosts[name], fault, answer))
                self._changes.add(change)
                change.add_done_callback(self._changes.discard)
            case _:
                answer(reply(404, "GET /hosts, or PUT /hosts/NAME/fault\n"))

    async def _become(self, host: DemoHost, fault: Fault, answer: Answer) -> None:
        try:
            await host.become(fault)
        except OSError as error:
            answer(reply(500, f"{host.host.address}: {error.strerror}\n"))
        else:
            answer(reply(200, f"{fault}\n"))


async def _run(arguments: argparse.Namespace) -> None:
    settings = shifted(load(arguments.config), arguments.second_octet)
    demo = settings.demo or DemoSettings()
    fleet = DemoFleet(settings.fleet.services.values(), demo.restart_s, demo.seed)
    await fleet.start(arguments.control)
    # What lives for good is not collected again: a full collection costs as much CPU as a host's minute.
    gc.collect()
    gc.freeze()
    try:
        say_ready()
        orphaned = await until_told()
    finally:
        fleet.close()
    if orphaned and arguments.tidy is not None:
        shutil.rmtree(arguments.tidy, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m adapters.demo.fleet", description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--second-octet", type=int, required=True, help="hosts answer at 127.N.*.*")
    parser.add_argument("--control", type=Path, help="unix socket to make hosts go wrong at")
    parser.add_argument("--tidy", type=Path, help="folder to remove if the parent is gone")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, FILES)), hard))
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
