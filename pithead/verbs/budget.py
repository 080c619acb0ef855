"""`pithead budget`: what is left of every error budget, worst first; or one service's, whole."""

from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime

from pipeline.ports import ControllerLost, ControlRoom
from pithead import budget_page, budgets
from pithead.exits import Exit
from pithead.names import service_name
from pithead.out import Out
from pithead.verbs.status import fresh


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def run(args: Namespace, room: ControlRoom, out: Out, now: Callable[[], datetime] = _utc_now) -> int:
    if args.service is not None:
        return await _service(service_name(args.service), room, out, json=args.json)
    async for view in room.fleet():
        if args.json:
            out.json({"at": view.at, "budgets": {row.name: row.budget for row in view.services}})
        else:
            for line in budgets.table(view):
                out.line(line)
        return fresh("budget", view.at, view.tick_s, now(), out)
    raise ControllerLost("it ended while it was asked")


async def _service(service: str, room: ControlRoom, out: Out, *, json: bool) -> int:
    report = await room.budget(service)
    if json:
        out.json(report)
        return Exit.DONE
    gate, docket = await room.gate(service), await room.docket(service)
    for line in budget_page.page(report, gate, docket.corrections):
        out.line(line)
    return Exit.DONE
