"""`pithead history`: what happened, newest first."""

from argparse import Namespace

from pipeline.ports import ControlRoom
from pipeline.view import HistoryQuery
from pithead import sheet
from pithead.exits import Exit
from pithead.names import service_name
from pithead.out import Out

PAGE = 200


async def run(args: Namespace, room: ControlRoom, out: Out) -> int:
    service = service_name(args.service) if args.service else ""
    left, before = args.limit, None
    while left > 0:
        page = await room.history(HistoryQuery(service, args.text, before_id=before, limit=min(left, PAGE)))
        for event in page.events[:left]:
            if args.json:
                out.json(event)
            else:
                out.line(sheet.event_line(event))
                for line in event.evidence if args.evidence else ():
                    out.line(f"    {line}")
        left -= len(page.events)
        if not page.events:
            break
        before = page.events[-1].id
    return Exit.DONE
