"""`LockDialog(service)`: locks a service with a reason, or lifts the lock that is on it."""

import asyncio
from dataclasses import replace
from datetime import datetime

from pipeline.commands import Command, Verb
from pipeline.docket import Docket, Lock
from pipeline.ports import ControllerLost
from pipeline.view import Asks, Proposal
from tui.acting import DEADLINE_S
from tui.budget_words import moment, until
from tui.dialog_box import Face, Step
from tui.dialogs import ProposalDialog
from tui.room import room_of


class LockDialog(ProposalDialog):
    """The controller has no proposal for a paper: what would be done is told from the papers that it has."""

    def __init__(self, service: str) -> None:
        super().__init__(Verb.LOCK, service)

    async def proposed(self) -> Proposal:
        app = room_of(self)
        try:
            async with asyncio.timeout(DEADLINE_S):
                docket = await app.room.docket(self.face.service)
        except TimeoutError:
            raise ControllerLost(f"no answer in {DEADLINE_S:g} s") from None
        return proposal(self.face.service, locks(docket, self.face.service, app.clock.now()), app.clock.now())

    def _confirm(self) -> None:
        if self.face.step is Step.ASKING and self.face.verb is Verb.LOCK and not self.face.typed.strip():
            self._turn(replace(self.face, focus="reason"))
            return
        super()._confirm()

    def wanted(self, proposal: Proposal, request: str, reason: str) -> Command:
        """About the very lock that was shown."""
        return replace(super().wanted(proposal, request, reason), release="", subject=proposal.release)

    def turned(self, face: Face, proposal: Proposal) -> Face:
        """The reason comes first: a lock without one tells nobody anything."""
        face = replace(super().turned(face, proposal), verb=proposal.verb)
        return replace(face, focus="reason") if face.step is Step.ASKING else face


def locks(docket: Docket, service: str, now: datetime) -> list[Lock]:
    """Those that are on it now, newest first."""
    return [lock for lock in reversed(docket.locks) if lock.service == service and lock.on(now)]


def proposal(service: str, on: list[Lock], now: datetime) -> Proposal:
    """Lift the only lock there is, or make one; which of several to lift is not for one key to choose."""
    if not on:
        rows = (
            ("what", "no release of it moves forward, by hand or by itself, until somebody unlocks it"),
            ("still", "a rollback, and pausing"),
            ("needs", "a reason, which everybody reads"),
        )
        return Proposal(Verb.LOCK, service, "", 0, f"Lock {service}?", rows, True, Asks.YES)
    told = tuple(("lock", f"{lock.id} by {lock.by} since {moment(lock.at, now)}{_ends(lock, now)}: {lock.reason}")
                 for lock in on)  # fmt: skip
    if len(on) > 1:
        lifts = ("lifts", f"one at a time, in a shell: pithead unlock {service} {on[0].id} --reason ...")
        return Proposal(Verb.UNLOCK, service, "", 0, f"Unlock {service}: {len(on)} locks", (*told, lifts), False)
    what = ("what", "its release goes on as soon as every other gate lets it")
    return Proposal(Verb.UNLOCK, service, on[0].id, 0, f"Unlock {service}?", (*told, what), True, Asks.YES)


def _ends(lock: Lock, now: datetime) -> str:
    return f", {until(lock.ends, now)}" if lock.ends is not None else ""
