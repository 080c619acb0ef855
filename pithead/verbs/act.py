"""`pithead promote|pause|resume|rollback|cancel`: what an operator may ask of a release."""

import sys
from argparse import Namespace
from collections.abc import Callable
from uuid import uuid4

from pipeline.commands import Command, Verb
from pipeline.ports import ControllerLost, ControlRoom
from pipeline.view import Asks, Proposal
from pithead.exits import Exit, Failure
from pithead.names import service_name
from pithead.out import Out
from pithead.parser import CONFIRMED


def must_write(args: Namespace) -> None:
    """Raises `Failure` under --read-only: nobody is to confirm what would then be refused."""
    if args.read_only:
        what = f"{args.verb} {args.service}"
        raise Failure(what, "--read-only changes nothing", "leave --read-only out")


def ask(question: str) -> str:
    """What the person at the terminal types."""
    if not sys.stdin.isatty():
        raise Failure("not confirmed", "nobody is at the terminal to ask", "add --yes", Exit.USAGE)
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip()


async def run(args: Namespace, room: ControlRoom, out: Out, ask: Callable[[str], str] = ask) -> int:
    verb, service = Verb(args.verb), service_name(args.service)
    must_write(args)
    seen: tuple[str, int | None] = (args.release, None)
    # The safe direction waits for no look at the state: it holds whatever has happened since.
    if verb in CONFIRMED and not args.yes:
        proposal = await room.propose(verb, service)
        confirm(proposal, args.release, out, ask)
        seen = (proposal.release, proposal.version)
    elif verb in (Verb.PROMOTE, Verb.RESUME):
        seen = await _at_hand(room, service, args.release)
    release, version = seen
    receipt = await room.send(Command(verb, service, uuid4().hex, release=release, version=version, reason=args.reason))
    if args.json:
        out.json(receipt)
    else:
        out.line(receipt.said)
    return Exit.DONE


async def _at_hand(room: ControlRoom, service: str, release: str) -> tuple[str, int]:
    """The release that a command is about, and the version at which it was seen."""
    async for view in room.service(service):
        return release or view.row.release, view.row.version
    raise ControllerLost("it ended while it was asked")


def confirm(proposal: Proposal, release: str, out: Out, ask: Callable[[str], str]) -> None:
    """Show in full what would be done, and have it confirmed; raises `Failure` if it is not."""
    what = f"{proposal.verb} {proposal.service}"
    if release and release != proposal.release:
        why = f"the release at hand is {proposal.release}, not {release}"
        raise Failure(what, why, f"look again: pithead status {proposal.service}")
    if not proposal.allowed:
        rows = dict(proposal.rows)
        raise Failure(what, rows.get("why", "not allowed"), rows.get("lifts", f"see pithead status {proposal.service}"))
    out.note(proposal.title)
    width = max((len(label) for label, _ in proposal.rows), default=0)
    for label, text in proposal.rows:
        out.note(f"  {label:{width}}  {text}")
    if proposal.asks is Asks.NAME:
        agreed = ask(f"Type the service's name to {proposal.verb} it: ") == proposal.service
    else:
        agreed = ask("y to do it: ").lower() in ("y", "yes")
    if not agreed:
        raise Failure(what, "not confirmed", "nothing was changed")
