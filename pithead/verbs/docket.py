"""`pithead docket`: what people have laid down, and what of it waits for somebody."""

from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime

from pipeline.ports import ControlRoom
from pithead import papers
from pithead.exits import Exit
from pithead.names import service_name
from pithead.out import Out


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def run(args: Namespace, room: ControlRoom, out: Out, now: Callable[[], datetime] = _utc_now) -> int:
    docket = await room.docket(service_name(args.service) if args.service else "")
    if args.json:
        out.json(docket)
    else:
        for line in papers.lines(docket, now()):
            out.line(line)
    return Exit.DONE
