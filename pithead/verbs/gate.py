"""`pithead gate`: may a service deploy? For CI: one line of why, and an exit code of `GateExit`."""

from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime

from pipeline.commands import Refused
from pipeline.ports import ControlRoom
from pipeline.view import Deploy
from pipeline.words import duration
from pithead import sheet
from pithead.exits import GateExit
from pithead.names import service_name
from pithead.out import Out

CODES = {
    Deploy.OK: GateExit.OK,
    Deploy.WARN: GateExit.WARN,
    Deploy.HOLD: GateExit.STOP,
    Deploy.BLOCKED: GateExit.STOP,
    Deploy.UNKNOWN: GateExit.UNKNOWN,
}
OLD_S = 60.0
"""An older answer is none: the controller has stopped looking."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def run(args: Namespace, room: ControlRoom, out: Out, now: Callable[[], datetime] = _utc_now) -> int:
    try:
        report = await room.gate(service_name(args.service))
    except Refused as refused:
        # Its usual exit code would read as "it may, with a warning".
        out.error(str(refused))
        return GateExit.UNKNOWN
    if args.json:
        out.json(report)
    else:
        out.line(f"{report.service} {report.deploy.value}: {report.why}")
        for gate in report.gates if args.all else ():
            out.line(f"  {sheet.gate_line(gate)}")
    age_s = (now() - report.at).total_seconds()
    if age_s > OLD_S:
        out.error(f"gate {report.service}: this is of {duration(age_s)} ago: look at the controller's log")
        return GateExit.UNKNOWN
    return CODES[report.deploy]
