"""The company's customers: `python -m adapters.demo.traffic --config PATH --second-octet N`.

Requests arrive by themselves, as many as the hour brings, whatever the answers are like; a load
balancer hands them to healthy hosts. What became of them is printed once a day of the demo.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterable
from pathlib import Path
from random import Random

from adapters.config import DemoSettings, load, shifted
from adapters.demo.balancer import Balancer
from adapters.demo.day import arrivals
from adapters.demo.lifeline import say_ready, until_told
from pipeline.model import Service

BATCH_S = 0.004
"""Arrivals this close together are sent in one go: fewer wake-ups, and nobody can tell."""
MORNING = 0.25
"""Of the day: when the demo begins, on the way up."""
TOO_LATE_S = 1.0
"""A driver that was stopped for longer forgets what it missed, rather than flood the hosts with it."""

SMALL = 8
"""Production hosts: a service with fewer is asked a part of what the others are."""
SMALL_SHARE = 0.25


def share(service: Service) -> float:
    """Of the peak rate that a service with enough hosts has."""
    return 1.0 if len(service.production) >= SMALL else SMALL_SHARE


class Traffic:
    """Sends a day after day of requests between `run` and its cancellation."""

    def __init__(self, services: Iterable[Service], peak_rps: float, day_s: float, seed: int) -> None:
        """`peak_rps` is each service's at the busiest hour, of small ones a part; production hosts serve it."""
        services = tuple(services)
        rng = Random(f"{seed}:traffic")  # noqa: S311 - a demo's dice
        addresses = [(service.name, host.address) for service in services for host in service.production]
        self.balancer = Balancer(addresses, rng)
        self._day_s = day_s
        self._start_s = MORNING * day_s
        served = {service.name: peak_rps * share(service) for service in services if service.production}
        self._arrivals = arrivals(served, day_s, self._start_s, rng)

    async def run(self) -> None:
        self.balancer.check_all()
        watch = asyncio.create_task(self.balancer.watch())
        try:
            await self._send()
        finally:
            watch.cancel()
            self.balancer.close()

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        midnight = loop.time() - self._start_s
        today = 0
        for at, service in self._arrivals:
            early = midnight + at - loop.time()
            if early > 0:
                await asyncio.sleep(max(early, BATCH_S))
            elif early < -TOO_LATE_S:
                midnight -= early
            if int(at / self._day_s) > today:
                today = int(at / self._day_s)
                sys.stderr.write(self.account() + "\n\n")
                sys.stderr.flush()
            self.balancer.send(service)

    def account(self) -> str:
        """What became of the requests so far, a line a service."""
        counts, shed = self.balancer.counts, self.balancer.shed
        names = sorted({name for name, _ in counts} | set(shed))
        lines = []
        for name in names:
            codes = {code: count for (service, code), count in sorted(counts.items()) if service == name}
            ended = ", ".join(f"{'no answer' if code == 0 else code} {count}" for code, count in codes.items())
            lines.append(f"{name}: {ended}, not taken {shed[name]}")
        return "\n".join(lines)


async def _run(arguments: argparse.Namespace) -> None:
    settings = shifted(load(arguments.config), arguments.second_octet)
    demo = settings.demo or DemoSettings()
    traffic = Traffic(settings.fleet.services.values(), demo.peak_rps, demo.day_s, demo.seed)
    sending = asyncio.create_task(traffic.run())
    told = asyncio.create_task(until_told())
    say_ready()
    await asyncio.wait((sending, told), return_when=asyncio.FIRST_COMPLETED)
    if sending.done():
        sending.result()
    sending.cancel()
    await asyncio.wait((sending,))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m adapters.demo.traffic", description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--second-octet", type=int, required=True, help="hosts answer at 127.N.*.*")
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
