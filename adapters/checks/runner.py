"""`Checks`: a staging check of any kind, once, and what came of it. Never raises for what it finds."""

from collections.abc import Callable

from adapters.checks.command import run_command
from adapters.checks.finding import Finding
from adapters.checks.load import run_load
from adapters.checks.probe import run_probe
from adapters.checks.replay import run_replay
from adapters.wire import Wire
from pipeline.checks import CheckKind, CheckRule
from pipeline.lifecycle import CheckResult
from pipeline.model import Service
from pipeline.ports import Clock
from pipeline.text import is_identifier, plain


def _unknown(_service: str) -> float | None:
    return None


class HostChecks:
    """Checks against a service's staging hosts; `close` it at the end.

    `production_rps` says what production serves now, by service; None where it is not known. A replay in partial
    staging keeps to its share of it.
    """

    def __init__(self, clock: Clock, production_rps: Callable[[str], float | None] = _unknown) -> None:
        self._clock = clock
        self._production_rps = production_rps
        self._wire = Wire()

    async def run(self, check: CheckRule, service: Service, revision: str) -> CheckResult:
        found = await self._run(check, service, revision)
        now = self._clock.now()
        return CheckResult(check.name, found.passed, plain(found.detail), now, found.peak_rps, found.output)

    async def close(self) -> None:
        await self._wire.close()

    async def _run(self, check: CheckRule, service: Service, revision: str) -> Finding:
        if not service.staging:
            return Finding(False, f"{service.name} has no staging host to check")
        if not is_identifier(revision):
            return Finding(False, "not the name of a revision")
        try:
            match check.kind:
                case CheckKind.PROBE:
                    return await run_probe(check, service.staging, self._wire, self._clock)
                case CheckKind.REPLAY:
                    known = self._production_rps(service.name)
                    return await run_replay(check, service, self._wire, self._clock, known)
                case CheckKind.LOAD:
                    return await run_load(check, service, revision)
                case CheckKind.COMMAND:
                    return await run_command(check, service, revision)
                case CheckKind.MANUAL:
                    return Finding(False, f"a person looks at it: pithead attest {service.name} {check.name}")
        except OSError as error:
            # This machine is short of something: descriptors, processes.
            return Finding(False, f"cannot be run: {error.strerror or error}")
