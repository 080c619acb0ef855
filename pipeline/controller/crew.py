"""Who is out on hosts right now: deploys and staging checks under way, and what came of them."""

import asyncio
from collections.abc import Awaitable, Sequence

from pipeline.checks import CheckRule
from pipeline.events import Intent, Outcome, Result
from pipeline.lifecycle import CheckResult
from pipeline.model import Host
from pipeline.ports import Checks, Clock, HostFleet
from pipeline.release.decide import Decision
from pipeline.service.station import Station
from pipeline.text import plain


class Crew:
    """Starts what was decided and kept; hands back what has ended, when it is asked to."""

    def __init__(self, hosts: HostFleet, checks: Checks, clock: Clock) -> None:
        self._hosts, self._checks, self._clock = hosts, checks, clock
        self._deploys: dict[str, tuple[Station, Intent, asyncio.Task[Outcome]]] = {}
        self._asked: dict[tuple[str, str], tuple[Station, asyncio.Task[CheckResult]]] = {}

    @property
    def out(self) -> frozenset[str]:
        """Operations that have not been taken back, ended or not."""
        return frozenset(self._deploys)

    def act(self, station: Station, decision: Decision, token: int) -> None:
        hosts = {host.name: host for host in station.service.hosts}
        for intent in (*decision.orders, *decision.again):
            if intent.host in hosts and intent.operation not in self._deploys:
                self._deploys[intent.operation] = (
                    station,
                    intent,
                    self._deploy(station, hosts[intent.host], intent, token),
                )
        for check in decision.checks:
            key = (decision.rollout.id, check.name)
            if key not in self._asked:
                asked = self._checks.run(check, station.service, decision.rollout.revision)
                self._asked[key] = (station, asyncio.ensure_future(_answered(asked, check, self._clock)))

    def _deploy(self, station: Station, host: Host, intent: Intent, token: int) -> asyncio.Task[Outcome]:
        deadline_s = station.service.rules.deploy.deadline_s
        return asyncio.ensure_future(_surely(self._hosts.deploy(host, intent, token, deadline_s), intent))

    def ended(self) -> Sequence[tuple[Station, Intent, Outcome]]:
        """Deploys that have ended; they stay out until `back` says that their end is kept."""
        return [(station, intent, task.result()) for station, intent, task in self._deploys.values() if task.done()]

    def back(self, ended: Sequence[tuple[Station, Intent, Outcome]]) -> None:
        for _, intent, _ in ended:
            del self._deploys[intent.operation]

    def answered(self) -> list[tuple[Station, str, CheckResult]]:
        """(station, release, result) of the checks that have ended."""
        done = {key: entry for key, entry in self._asked.items() if entry[1].done()}
        for key in done:
            del self._asked[key]
        return [(station, release, task.result()) for (release, _), (station, task) in done.items()]

    async def leave(self) -> None:
        """Stop waiting; the journal knows what was begun."""
        tasks = [task for _, _, task in self._deploys.values()] + [task for _, task in self._asked.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _surely(deploy: Awaitable[Outcome], intent: Intent) -> Outcome:
    """An adapter that breaks leaves its host's outcome unknown, and the controller running."""
    try:
        return await deploy
    except Exception as broken:  # noqa: BLE001 - whatever it is, nobody knows what the host has done
        return Outcome(intent.operation, Result.UNKNOWN, _words(broken), intent.at)


async def _answered(asked: Awaitable[CheckResult], check: CheckRule, clock: Clock) -> CheckResult:
    """A check that breaks has not passed."""
    try:
        return await asked
    except Exception as broken:  # noqa: BLE001 - whatever it is, the build is not known to be good
        return CheckResult(check.name, False, _words(broken), clock.now())


def _words(broken: Exception) -> str:
    return plain(f"pithead itself failed: {type(broken).__name__}: {broken}")
