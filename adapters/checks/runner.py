"""`Checks`: a staging check of any kind, once, and what came of it. Never raises for what it finds."""

from adapters.checks.command import run_command
from adapters.checks.finding import Finding
from adapters.checks.probe import run_probe
from adapters.wire import Wire
from pipeline.lifecycle import CheckResult
from pipeline.model import CheckKind, CheckRule, Service
from pipeline.ports import Clock
from pipeline.text import is_identifier, plain


class HostChecks:
    """Checks against a service's staging hosts; `close` it at the end."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wire = Wire()

    async def run(self, check: CheckRule, service: Service, revision: str) -> CheckResult:
        found = await self._run(check, service, revision)
        return CheckResult(check.name, found.passed, plain(found.detail), self._clock.now())

    async def close(self) -> None:
        await self._wire.close()

    async def _run(self, check: CheckRule, service: Service, revision: str) -> Finding:
        if not service.staging:
            return Finding(False, f"{service.name} has no staging host to check")
        if not is_identifier(revision):
            return Finding(False, "not the name of a revision")
        if check.kind is CheckKind.PROBE:
            return await run_probe(check, service.staging, self._wire)
        try:
            return await run_command(check, service, revision)
        except OSError as error:
            # This machine is short of something: descriptors, processes.
            return Finding(False, f"cannot be run: {error.strerror or error}")
