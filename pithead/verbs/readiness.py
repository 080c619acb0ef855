"""`pithead readiness`: a service's checklist; ends with 0 where every row passes or is waived, else with 1."""

from argparse import Namespace
from datetime import datetime, timedelta

from pipeline.ports import ControlRoom
from pipeline.readiness.report import Row
from pipeline.words import duration
from pithead.exits import Exit
from pithead.names import service_name
from pithead.out import Out
from pithead.spans import instant

HEAD = ("ROW", "STATE", "EXPIRES", "WHY")
SOON = timedelta(days=14)


async def run(args: Namespace, room: ControlRoom, out: Out) -> int:
    report = await room.readiness(service_name(args.service))
    missing = report.missing
    if args.json:
        out.json(report)
    else:
        out.table(
            [
                HEAD,
                *(
                    (row.id, row.state.upper(), _expires(row, report.at), f"{row.title}: {row.why}")
                    for row in report.rows
                ),
            ]
        )
        passed = len(report.rows) - len(missing)
        binds = "business-critical, so releases are held until all pass" if report.binding else "advice: holds nothing"
        out.note(f"{report.service}: {passed} of {len(report.rows)} rows pass or are waived; {binds}")
        if missing:
            mend = "a person may vouch for a row (pithead attest) or let it off for a time (pithead waive)"
            out.note(f"{mend}; --json says what lifts each")
    return Exit.REFUSED if missing else Exit.DONE


def _expires(row: Row, now: datetime) -> str:
    if row.expires is None:
        return "-"
    left = row.expires - now
    if left <= timedelta(0):
        return f"{duration(-left.total_seconds())} ago"
    return f"in {duration(left.total_seconds())}" if left <= SOON else instant(row.expires)
