"""`pithead lock`, `reserve`, `attest`, `incident`, `breakglass`, ...: what people lay down about a service."""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from pipeline.commands import Command, Stretch, Verb
from pipeline.ports import ControlRoom
from pipeline.view import Asks, Proposal
from pipeline.words import duration
from pithead.exits import Exit, Failure
from pithead.names import paper_name, revision_name, service_name
from pithead.out import Out
from pithead.parsing_docket import CONFIRMED_PAPERS
from pithead.spans import instant
from pithead.verbs.act import ask, confirm, must_write


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def run(
    args: Namespace,
    room: ControlRoom,
    out: Out,
    ask: Callable[[str], str] = ask,
    now: Callable[[], datetime] = _utc_now,
) -> int:
    command = _command(args, now())
    must_write(args)
    if args.verb in CONFIRMED_PAPERS and not args.yes:
        proposal = _of_named(command, await room.propose(command.verb, command.service, _about(command)))
        for line in _asked_for(command) if proposal.allowed else ():
            out.note(line)
        confirm(proposal, "", out, ask)
    receipt = await room.send(command)
    if args.json:
        out.json(receipt)
    else:
        out.line(receipt.said)
    return Exit.DONE


def _about(command: Command) -> Stretch | None:
    """Of a correction: what it would be about."""
    if command.verb is not Verb.CORRECT or command.start is None or command.end is None:
        return None
    return Stretch(command.subject, command.start, command.end)


def _of_named(command: Command, proposal: Proposal) -> Proposal:
    """Asked as well where the proposal, which knows no incident of other services, says no: the controller decides."""
    if command.verb is not Verb.BREAKGLASS or not command.subject or proposal.allowed:
        return proposal
    rows = (("incident", f"{command.subject}, of another service or not there"),)
    title = f"Break glass for {command.service}?"
    return replace(proposal, title=title, rows=rows, allowed=True, asks=Asks.NAME)


def _command(args: Namespace, now: datetime) -> Command:
    verb, service = Verb(args.verb), service_name(args.service)
    end = args.until
    if args.lasts_s is not None:
        try:
            end = (args.start or now) + timedelta(seconds=args.lasts_s)
        except OverflowError:
            raise Failure(
                f"{verb} {service}", "it would end after all time", "say a shorter --for", Exit.USAGE
            ) from None
    if args.start is not None and end is not None and end <= args.start:
        why = f"--until {instant(end)} is not after --from {instant(args.start)}"
        raise Failure(f"{verb} {service}", why, "turn them round", Exit.USAGE)
    return Command(
        verb,
        service,
        uuid4().hex,
        revision=revision_name(args.revision) if args.revision else "",
        reason=args.reason or "",
        subject=paper_name(args.subject) if args.subject else "",
        start=args.start,
        end=end,
        evidence=args.evidence or "",
        also=tuple(service_name(name) for name in args.also or ()),
        queue=args.queue,
        digest=args.digest,
    )


def _asked_for(command: Command) -> list[str]:
    """What was typed, as it was understood; the proposal tells the rest."""
    what = " ".join(filter(None, (f"{command.verb} {command.service}", command.subject, command.revision)))
    proof = f" ({command.evidence})" if command.revision and command.evidence else ""
    lines = [f"{what}{proof}: {command.reason}"]
    if command.start is not None and command.end is not None:
        lasts = duration((command.end - command.start).total_seconds())
        lines.append(f"  from {command.start:%Y-%m-%d %H:%M:%S}Z to {command.end:%Y-%m-%d %H:%M:%S}Z, {lasts}")
    return lines
