"""`pithead status`: how the fleet, or one service, stands."""

from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime

from pipeline.ports import ControlRoom
from pipeline.view import FleetView, ServiceRow
from pipeline.words import duration
from pithead import sheet
from pithead.exits import Exit
from pithead.names import service_name
from pithead.out import Out

SILENT_TICKS = 5
SILENT_S = 15.0


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def run(args: Namespace, room: ControlRoom, out: Out, now: Callable[[], datetime] = _utc_now) -> int:
    if args.service is not None:
        return await _service(args, room, out, now)
    before: dict[str, ServiceRow] = {}
    async for view in room.fleet():
        if not before:
            _fleet(view, out, json=args.json)
        else:
            changed = [row for row in view.services if _told(row) != _told(before.get(row.name))]
            for row in changed:
                _row(row, out, json=args.json)
        if not args.watch:
            return fresh("status", view.at, view.tick_s, now(), out)
        before = {row.name: row for row in view.services}
    return Exit.UNKNOWN


async def _service(args: Namespace, room: ControlRoom, out: Out, now: Callable[[], datetime]) -> int:
    told: object = None
    async for view in room.service(service_name(args.service)):
        if told is None:
            if args.json:
                out.json(view)
            else:
                for line in sheet.page(view):
                    out.line(line)
        elif _told(view.row) != told:
            _row(view.row, out, json=args.json)
        told = _told(view.row)
        if not args.watch:
            return fresh("status", view.at, view.tick_s, now(), out)
    return Exit.UNKNOWN


def _fleet(view: FleetView, out: Out, *, json: bool) -> None:
    if json:
        out.json(view)
    else:
        out.table(sheet.fleet(view))
    for notice in view.notices:
        out.error(f"controller: {notice}")


def _row(row: ServiceRow, out: Out, *, json: bool) -> None:
    if json:
        out.json(row)
    else:
        out.line(sheet.change(row))


def _told(row: ServiceRow | None) -> object:
    """What counts as a change to whoever follows: not a wait that runs down."""
    if row is None:
        return None
    return (row.state, row.verdict, row.release, row.version, row.production.revision, row.staging, row.canary)


def fresh(what: str, at: datetime, tick_s: float, now: datetime, out: Out) -> int:
    """UNKNOWN for a view so old that the controller must have stopped looking."""
    age_s = (now - at).total_seconds()
    if age_s <= max(SILENT_TICKS * tick_s, SILENT_S):
        return Exit.DONE
    out.error(f"{what}: the controller has been silent for {duration(age_s)}, this is old: look at its log")
    return Exit.UNKNOWN
