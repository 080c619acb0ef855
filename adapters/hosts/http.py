"""`HostFleet` over the HTTP agent that each host runs: agent-protocol.md, version 1."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.hosts.protocol import (
    DEPLOY_PATH,
    STATE_PATH,
    VERSION,
    ErrorBody,
    Malformed,
    OutcomeBody,
    Progress,
    StateBody,
    decoded,
    is_operation,
)
from adapters.wire import Wire, WireAnswer, WireError
from pipeline.events import Intent, Outcome, Result
from pipeline.model import Host
from pipeline.observed import HostFault, HostState, Observation
from pipeline.ports import Clock
from pipeline.release.hostwork import is_restart
from pipeline.text import PlainText, is_identifier, plain

BODY_LIMIT = 64 * 1024
REQUEST_S = 2.0
"""One request within a deploy."""
UNREACHED_S = 10.0
"""A host that takes no connection for so long is given up, with nothing done to it."""
FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 1.0

NO_RESTART = "the agent knows no restart, and left the process as it was"

_RESULTS = {Progress.DONE: Result.DONE, Progress.FAILED: Result.FAILED}


@dataclass(frozen=True, slots=True)
class _Step:
    """What one request of a deploy has brought."""

    why: str
    end: Result | None = None
    taken: bool = False
    """The host has said that it is at it."""
    perhaps: bool = False
    """The host may be at it: it was reached, and did not say."""
    reached: bool = True


class HttpHosts:
    """One event loop's view of the hosts; `close` it at the end."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wire = Wire(body_limit=BODY_LIMIT)

    async def states(self, hosts: Sequence[Host], timeout_s: float) -> Mapping[str, Observation]:
        seen = await asyncio.gather(*(self._state(host, timeout_s) for host in hosts))
        return {host.name: observation for host, observation in zip(hosts, seen, strict=True)}

    async def deploy(self, host: Host, intent: Intent, token: int, deadline_s: float) -> Outcome:
        began = self._clock.monotonic()
        wait_s = FIRST_WAIT_S
        step = _Step("not asked")
        while (left_s := began + deadline_s - self._clock.monotonic()) > 0:
            timeout_s = min(REQUEST_S, left_s)
            if step.taken:
                step = await self._follow(host, intent, timeout_s)
            else:
                step = await self._tell(host, intent, token, timeout_s, perhaps=step.perhaps)
            if step.end is not None:
                return self._outcome(intent, step.end, step.why)
            if not (step.reached or step.perhaps):
                left_s = min(left_s, began + UNREACHED_S - self._clock.monotonic())
                if left_s <= 0:
                    break
            await self._clock.sleep(min(wait_s, left_s))
            wait_s = min(wait_s * 1.5, LONGEST_WAIT_S)
        if step.taken or step.perhaps:
            return self._outcome(intent, Result.UNKNOWN, f"no outcome in {deadline_s:g} s: {step.why}")
        return self._outcome(intent, Result.FAILED, f"nothing done: {step.why}")

    async def close(self) -> None:
        await self._wire.close()

    async def _state(self, host: Host, timeout_s: float) -> Observation:
        try:
            answer = await self._wire.request(host.address, "GET", STATE_PATH, timeout_s=timeout_s)
            if answer.status != 200:
                return self._fault(f"HTTP {answer.status}")
            return self._read(host, decoded(answer.body, StateBody))
        except WireError as error:
            return self._fault(error.why)
        except Malformed as error:
            return self._fault(f"malformed state: {error}")

    def _read(self, host: Host, body: StateBody) -> Observation:
        if body.host != host.name:
            return self._fault(f"malformed state: {host.address} answers as {plain(body.host, 100)}")
        if body.revision and not is_identifier(body.revision):
            return self._fault(f'malformed state: revision "{plain(body.revision, 60)}"')
        if body.operation and not is_operation(body.operation):
            return self._fault(f'malformed state: operation "{plain(body.operation, 60)}"')
        result, detail = _end(body, host.name) if body.operation else (None, plain(body.detail, 200))
        return HostState(
            at_s=self._clock.monotonic(),
            revision=body.revision,
            healthy=body.healthy and bool(body.revision),
            operation=body.operation,
            result=result,
            detail=detail,
            available=frozenset(filter(is_identifier, body.available)),
        )

    def _fault(self, why: str) -> HostFault:
        return HostFault(self._clock.monotonic(), plain(why))

    def _outcome(self, intent: Intent, result: Result, detail: str) -> Outcome:
        return Outcome(intent.operation, result, plain(detail), self._clock.now())

    async def _tell(self, host: Host, intent: Intent, token: int, timeout_s: float, *, perhaps: bool) -> _Step:
        """Ask for the deploy; again and again is safe, as a repeat is answered and not done again."""
        asked = {
            "version": VERSION,
            "operation": intent.operation,
            "host": host.name,
            "revision": intent.revision,
            "token": token,
            **({"restart": True} if is_restart(intent.operation, host.name) else {}),
        }
        try:
            answer = await self._wire.request(
                host.address, "PUT", DEPLOY_PATH, timeout_s=timeout_s, body=json.dumps(asked).encode()
            )
        except WireError as error:
            return _Step(error.why, perhaps=perhaps or error.reached, reached=error.reached)
        return _told(answer, intent)

    async def _follow(self, host: Host, intent: Intent, timeout_s: float) -> _Step:
        now = await self._state(host, timeout_s)
        if isinstance(now, HostFault):
            return _Step(now.why, taken=True)
        if now.operation != intent.operation:
            return _Step(f"the host now tells of {now.operation or 'no operation'}", Result.UNKNOWN)
        return _Step(now.detail or "still running", now.result, taken=True)


def _told(answer: WireAnswer, intent: Intent) -> _Step:
    status = answer.status
    if status in (200, 202):
        try:
            body = decoded(answer.body, OutcomeBody)
        except Malformed as error:
            return _Step(f"malformed answer: {error}", perhaps=True)
        if body.operation != intent.operation:
            return _Step(f"malformed answer: it is of {plain(body.operation, 100)}", perhaps=True)
        result, detail = _end(body, intent.host)
        return _Step(detail or body.outcome.value, result, taken=True)
    why = f"HTTP {status}{_error_of(answer)}"
    if status == 409:
        return _Step(why)
    if status == 412:
        return _Step(f"a newer controller has taken over: {why}", Result.FAILED)
    if 400 <= status < 500 and status not in (408, 429):
        return _Step(f"the host refuses: {why}", Result.FAILED)
    return _Step(why, perhaps=True)


def _end(body: StateBody | OutcomeBody, host: str) -> tuple[Result | None, PlainText]:
    """How the operation ended, None while it runs; done is not done where it was to restart and no agent says so."""
    result, detail = _RESULTS.get(body.outcome), plain(body.detail, 200)
    if result is Result.DONE and is_restart(body.operation, host) and not body.restart:
        return Result.FAILED, plain(f"{NO_RESTART}{': ' if detail else ''}{detail}", 200)
    return result, detail


def _error_of(answer: WireAnswer) -> PlainText:
    try:
        return plain(f": {decoded(answer.body, ErrorBody).error}", 200)
    except Malformed:
        return plain("")
