"""`pithead submit`: a revision is sent on its way, and followed if asked."""

import asyncio
from argparse import Namespace
from uuid import uuid4

from pipeline.commands import Command, Verb
from pipeline.events import Event
from pipeline.ports import ControllerLost, ControlRoom
from pipeline.view import ServiceView
from pipeline.words import duration
from pithead import sheet
from pithead.ci import ci_said
from pithead.exits import Exit
from pithead.names import revision_name, service_name
from pithead.out import Out

AGAIN_S = 2.0
TRIES = 30
"""A controller that is restarted is waited for this often, `AGAIN_S` apart."""


async def run(args: Namespace, room: ControlRoom, out: Out) -> int:
    service, revision = service_name(args.service), revision_name(args.revision)
    said = ci_said(args.ci)
    command = Command(Verb.SUBMIT, service, uuid4().hex, revision=revision, reason=args.reason, ci=said)
    receipt = await room.send(command)
    if args.json:
        out.json(receipt)
    else:
        out.line(receipt.said)
    if not args.wait:
        return Exit.DONE
    try:
        async with asyncio.timeout(args.timeout):
            return await _until_ended(room, service, receipt.release, out, json=args.json)
    except TimeoutError:
        out.error(f"submit {service} {revision}: not over after {duration(args.timeout)}: pithead status {service}")
        return Exit.UNKNOWN


async def _until_ended(room: ControlRoom, service: str, release: str, out: Out, *, json: bool) -> int:
    follower = _Follower(release, out, json=json)
    silent = False
    for _ in range(TRIES):
        try:
            async for view in room.service(service):
                if silent:
                    silent = False
                    out.error("controller: it answers again")
                code = follower.look(view)
                if code is not None:
                    return code
        except ControllerLost as lost:
            if not silent:
                out.error(f"controller: {lost}: the release goes on when it is back; trying again")
            silent = True
        await asyncio.sleep(AGAIN_S)
    raise ControllerLost(f"no answer for {duration(TRIES * AGAIN_S)}")


class _Follower:
    def __init__(self, release: str, out: Out, *, json: bool) -> None:
        self._release, self._out, self._json = release, out, json
        self._told: object = None

    def look(self, view: ServiceView) -> int | None:
        """Print what is new of the release; its exit code once it has ended."""
        row = view.row
        events = [event for event in view.timeline if event.release == self._release]
        if row.release != self._release:
            # Not yet in a view that is older than our submit.
            return self._ended(view, events) if events else None
        told = (row.state, row.verdict, row.version)
        if told != self._told:
            self._told = told
            if self._json:
                self._out.json(row)
            else:
                self._out.line(sheet.change(row))
        return None

    def _ended(self, view: ServiceView, events: list[Event]) -> int:
        newest = events[0]
        settled = any(event.action == "settled" for event in events)
        if self._json:
            self._out.json({"release": self._release, "settled": settled, "last": newest, "row": view.row})
        else:
            self._out.line(f"{newest.service} {newest.revision} {newest.action}: {newest.detail}")
        return Exit.DONE if settled else Exit.REFUSED
