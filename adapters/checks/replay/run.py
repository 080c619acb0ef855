"""A replay: recorded requests sent to the staging hosts at a steady rate, and their answers compared."""

import asyncio
from dataclasses import dataclass

from adapters.checks.finding import Finding
from adapters.checks.replay.compare import Answer, difference
from adapters.checks.replay.plan import Plan, Refused, planned
from adapters.checks.replay.recording import Exchange, Recorded
from adapters.checks.replay.tally import Tally
from adapters.wire import Wire, WireAnswer, WireError
from pipeline.checks import Against, CheckRule
from pipeline.model import Host, Service
from pipeline.ports import Clock

AT_ONCE = 20
"""Requests under way; where hosts are slower than the rate, the rate gives way."""
ANSWER_S = 10.0
"""How long one answer may take."""
LARGE = 64 * 1024
"""Bytes of a body that is compared beside the loop, not in it."""


async def run_replay(
    check: CheckRule, service: Service, wire: Wire, clock: Clock, production_rps: float | None = None
) -> Finding:
    """Passes if no more answers differ than may; `production_rps` is what production serves now, where known."""
    rule = check.replay
    if rule is None:
        return Finding(False, "no recording to replay")
    tally: Tally | None = None
    plan: Plan | None = None
    try:
        async with asyncio.timeout(check.deadline_s):
            plan = await asyncio.to_thread(planned, check, rule, service, production_rps)
            tally = Tally(rule, len(plan.exchanges))
            await _Replay(service, wire, clock, plan, tally).run()
    except Refused as refused:
        return Finding(False, str(refused))
    except TimeoutError:
        if tally is None or plan is None:
            return Finding(False, f"the recording was not read in {check.deadline_s:g} s: record less of it")
        return tally.finding(check.deadline_s, plan.notes)
    return tally.finding(None, plan.notes)


@dataclass(slots=True)
class _Replay:
    service: Service
    wire: Wire
    clock: Clock
    plan: Plan
    tally: Tally

    async def run(self) -> None:
        room = asyncio.Semaphore(AT_ONCE)
        begun = self.clock.monotonic()

        async def one(number: int, exchange: Exchange) -> None:
            try:
                await self._compared(number, exchange)
            finally:
                room.release()

        async with asyncio.TaskGroup() as group:
            for number, exchange in enumerate(self.plan.exchanges):
                early_s = begun + number / self.plan.rps - self.clock.monotonic()
                if early_s > 0:
                    await self.clock.sleep(early_s)
                await room.acquire()
                group.create_task(one(number, exchange))

    async def _compared(self, number: int, exchange: Exchange) -> None:
        staging = self.service.staging[number % len(self.service.staging)]
        if self.tally.rule.against is Against.RECORDING:
            mine, recorded = await self._asked(staging, exchange), exchange.answer
            if recorded is None:
                return
            if isinstance(mine, str):
                self.tally.differs(number, f"{exchange}: {staging.name}: {mine}")
                return
            self.tally.timed(mine[1], recorded.ms)
            self.tally.by_status += recorded.body is None
            await self._held(number, exchange, mine[0], _of_recording(recorded, exchange), "recorded")
            return
        other = self.service.production[number % len(self.service.production)]
        mine, theirs = await asyncio.gather(self._asked(staging, exchange), self._asked(other, exchange))
        if isinstance(mine, str):
            self.tally.differs(number, f"{exchange}: {staging.name}: {mine}")
        elif isinstance(theirs, str):
            self.tally.nothing_to_hold(number, f"{exchange}: {other.name}: {theirs}")
        else:
            self.tally.timed(mine[1], theirs[1])
            await self._held(number, exchange, mine[0], _of_wire(theirs[0]), "production")

    async def _held(self, number: int, exchange: Exchange, mine: WireAnswer, held: Answer, word: str) -> None:
        got = _of_wire(mine)
        scrubbed = word == "recorded"
        if max(len(got.body or b""), len(held.body or b"")) > LARGE:
            why = await asyncio.to_thread(difference, got, held, word, self.plan.ignored, scrubbed=scrubbed)
        else:
            why = difference(got, held, word, self.plan.ignored, scrubbed=scrubbed)
        if why is None:
            self.tally.same()
        else:
            self.tally.differs(number, f"{exchange}: {why}")

    async def _asked(self, host: Host, exchange: Exchange) -> tuple[WireAnswer, float] | str:
        """(the answer, milliseconds), or why there is none."""
        begun = self.clock.monotonic()
        try:
            answer = await self.wire.request(
                host.address,
                exchange.method,
                exchange.path,
                timeout_s=ANSWER_S,
                body=exchange.body,
                headers=exchange.headers,
            )
        except WireError as error:
            return error.why
        return answer, (self.clock.monotonic() - begun) * 1000


def _of_wire(answer: WireAnswer) -> Answer:
    return Answer(answer.status, answer.body, answer.headers.get("content-type", ""))


def _of_recording(recorded: Recorded, exchange: Exchange) -> Answer:
    """Some answers have no body, whatever a recorder made of it: a browser keeps its cached one for a 304."""
    bodiless = exchange.method == "HEAD" or recorded.status in (204, 304)
    return Answer(recorded.status, None if bodiless else recorded.body, recorded.kind)
