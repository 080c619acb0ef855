"""One operation on one host: told, told again where that is safe, and followed to its end."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from adapters.hosts.ssh.artifacts import Directory, NoArtifact, Url, digest_of
from adapters.hosts.ssh.client import SshClient
from adapters.hosts.ssh.faults import LASTING, SshFault
from adapters.hosts.ssh.recipes import ReleaseDir, Way
from adapters.hosts.ssh.script import Answers, Order, Verb, answers
from pipeline.events import Intent, Outcome, Result
from pipeline.model import Host
from pipeline.ports import Clock
from pipeline.release.hostwork import is_restart
from pipeline.text import plain

REQUEST_S = 15.0
"""One request within a deploy, but for an upload."""
UNREACHED_S = 15.0
"""A host that takes no connection for so long is given up, with nothing done to it."""
FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 2.0
UPLOADS = 2
"""How often an artifact that arrives broken is sent again."""

_RESULTS = {"done": Result.DONE, "failed": Result.FAILED}


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


@dataclass(slots=True)
class Deploying:
    client: SshClient
    clock: Clock
    way: Way
    host: Host
    intent: Intent
    token: int
    _digest: str = field(default="", init=False)
    _uploads: int = field(default=0, init=False)
    _until_s: float = field(default=0.0, init=False)
    _urgent: bool = field(default=True, init=False)
    """The first try is made though the host is at rest after a failure: it may be a rollback."""

    async def outcome(self, deadline_s: float) -> Outcome:
        """Returns when the host has finished, or with what is known after `deadline_s`."""
        met_s = self.clock.monotonic()
        self._until_s = met_s + deadline_s
        wait_s = FIRST_WAIT_S
        step = _Step("not asked")
        while self._left_s() > 0:
            step = await (self._follow() if step.taken else self._tell(perhaps=step.perhaps))
            if step.end is not None:
                return self._outcome(step.end, step.why)
            left_s = self._left_s()
            if step.reached:
                met_s = self.clock.monotonic()
            elif not step.perhaps:
                left_s = min(left_s, met_s + UNREACHED_S - self.clock.monotonic())
            if left_s <= 0:
                break
            await self.clock.sleep(min(wait_s, left_s))
            wait_s = min(wait_s * 1.5, LONGEST_WAIT_S)
        if step.taken or step.perhaps:
            return self._outcome(Result.UNKNOWN, f"no outcome in {deadline_s:g} s: {step.why}")
        return self._outcome(Result.FAILED, f"nothing done: {step.why}")

    def _outcome(self, result: Result, detail: str) -> Outcome:
        return Outcome(self.intent.operation, result, plain(detail), self.clock.now())

    async def _tell(self, *, perhaps: bool) -> _Step:
        """Ask for the deploy; again and again is safe, as a repeat is answered and not done again."""
        recipe = self.way.recipe
        try:
            if isinstance(recipe, ReleaseDir) and isinstance(recipe.artifact, Url):
                # What is on the host already needs none: the way back must not wait for a list of checksums.
                with suppress(NoArtifact):
                    self._digest = await asyncio.to_thread(recipe.artifact.digest, self.intent.revision)
            restart = is_restart(self.intent.operation, self.host.name)
            verb = Verb.RESTART if restart else Verb.DEPLOY
            said = await self._ask(self._order(verb))
            if not isinstance(said, SshFault) and said["answer"] == "wants":
                failure = await self._upload()
                if failure is not None:
                    return failure
                said = await self._ask(self._order(verb))
        except ValueError as error:
            return _Step(f"nothing done: {error}", None if perhaps else Result.FAILED, perhaps=perhaps)
        if isinstance(said, SshFault):
            return _lost(said, perhaps=perhaps)
        return _told(said)

    async def _follow(self) -> _Step:
        said = await self._ask(self._order(Verb.FOLLOW))
        if isinstance(said, SshFault):
            return _Step(said.why, taken=True)
        if said["operation"] != self.intent.operation:
            return _Step(f"the host now tells of {said['operation'] or 'no operation'}", Result.UNKNOWN)
        return _Step(said["detail"] or "still running", _RESULTS.get(said["outcome"]), taken=True)

    async def _upload(self) -> _Step | None:
        """Bring the artifact, or say why not; it changes nothing on the host but a file on its way."""
        recipe = self.way.recipe
        if not isinstance(recipe, ReleaseDir) or not isinstance(recipe.artifact, Directory):
            return _Step("the host asks for an artifact that is not the controller's to bring", Result.FAILED)
        file = recipe.artifact.file(self.intent.revision)
        try:
            self._digest = await asyncio.to_thread(digest_of, file)
        except NoArtifact as error:
            return _Step(f"nothing done: {error}", Result.FAILED)
        self._uploads += 1
        order = self._order(Verb.UPLOAD, operation="")
        ran = await self.client.run(self._destination, order.feed(file), deadline_s=self._left_s())
        said = ran if isinstance(ran, SshFault) else answers(ran, order.nonce, order.closing)
        if isinstance(said, SshFault):
            return _Step(f"artifact not brought: {said.why}", reached=said.reached)
        if said["answer"] == "stored":
            return None
        why = f"artifact not brought: {said['fault'] or said['detail']}"
        return _Step(f"nothing done: {why}", Result.FAILED) if self._uploads >= UPLOADS else _Step(why)

    def _left_s(self) -> float:
        return self._until_s - self.clock.monotonic()

    async def _ask(self, order: Order) -> Answers | SshFault:
        urgent, self._urgent = self._urgent, False
        feed = order.feed()
        ran = await self.client.run(self._destination, feed, deadline_s=min(REQUEST_S, self._left_s()), urgent=urgent)
        return ran if isinstance(ran, SshFault) else answers(ran, order.nonce, order.closing)

    def _order(self, verb: Verb, operation: str | None = None) -> Order:
        return Order(
            verb,
            self.host.name,
            self.way,
            self.client.nonce(),
            self.intent.operation if operation is None else operation,
            self.intent.revision,
            self.token,
            self._digest,
        )

    @property
    def _destination(self) -> str:
        return self.host.ssh or self.host.name


def _lost(fault: SshFault, *, perhaps: bool) -> _Step:
    if fault.kind in LASTING and not perhaps:
        return _Step(f"nothing done: {fault.why}", Result.FAILED)
    return _Step(fault.why, perhaps=perhaps or fault.reached, reached=fault.reached)


def _told(said: Answers) -> _Step:
    if said["fault"]:
        return _Step(f"the host refuses: {said['fault']}", Result.FAILED)
    answer = said["answer"]
    if answer in {"taken", "known"}:
        return _Step(said["detail"] or said["outcome"], _RESULTS.get(said["outcome"]), taken=True)
    if answer == "busy":
        return _Step(said["detail"])
    if answer == "wants":
        return _Step("the artifact that was brought is gone again")
    if answer == "stale":
        return _Step(f"a newer controller has taken over: {said['detail']}", Result.FAILED)
    if answer == "refused":
        return _Step(f"the host refuses: {said['detail']}", Result.FAILED)
    return _Step(f'malformed answer "{plain(answer, 40)}"', perhaps=True)
