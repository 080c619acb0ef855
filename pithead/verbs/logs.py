"""`pithead logs SERVICE`: what its hosts wrote last, the canary's and production's, in the order of their times."""

from argparse import Namespace

from pipeline.logs import merged, silent
from pipeline.policy.wording import count
from pipeline.ports import ControlRoom
from pithead.exits import Exit
from pithead.names import host_name, service_name
from pithead.out import Out


async def run(args: Namespace, room: ControlRoom, out: Out) -> int:
    """Ends with `Exit.UNKNOWN` where no host had a line to give."""
    host = host_name(args.host) if args.host else ""
    page = await room.logs(service_name(args.service), args.lines, host)
    if args.json:
        out.json(page)
    else:
        for line in merged(page.hosts):
            out.line(f"{line.track} {line.host} | {line.text}")
        for why in silent(page.hosts):
            out.note(f"no lines of {why}")
        if page.left_out:
            more = count(page.left_out, "more host was", "more hosts were")
            out.note(f"{more} not read: --host NAME reads any of them")
    return Exit.DONE if any(log.lines for log in page.hosts) else Exit.UNKNOWN
