"""A probe: every staging host must answer a GET as it should."""

import asyncio
from collections.abc import Sequence

from adapters.checks.finding import Finding
from adapters.wire import Wire, WireAnswer, WireError
from pipeline.model import CheckRule, Host
from pipeline.text import plain

EXCERPT = 80


async def run_probe(check: CheckRule, hosts: Sequence[Host], wire: Wire) -> Finding:
    """Passes if all of `hosts` answer with the status and the text; the detail names those that did not."""
    wrongs = await asyncio.gather(*(_wrong(check, host, wire) for host in hosts))
    failed = [f"{host.name}: {wrong}" for host, wrong in zip(hosts, wrongs, strict=True) if wrong is not None]
    if not failed:
        return Finding(True, f"{check.status} from {', '.join(host.name for host in hosts)}")
    good = len(hosts) - len(failed)
    return Finding(False, f"{'; '.join(failed)}; {good} of {len(hosts)} passed")


async def _wrong(check: CheckRule, host: Host, wire: Wire) -> str | None:
    """What is wrong with the host's answer; None where nothing is."""
    try:
        answer = await wire.request(host.address, "GET", check.path, timeout_s=check.deadline_s)
    except WireError as error:
        return error.why
    if answer.status != check.status:
        return f"{answer.status}, expected {check.status}"
    if check.contains and check.contains not in answer.body.decode("utf-8", "replace"):
        return f'{answer.status} without "{check.contains}": {_excerpt(answer)}'
    return None


def _excerpt(answer: WireAnswer) -> str:
    return f'"{plain(answer.body.strip(), EXCERPT)}"' if answer.body.strip() else "an empty body"
