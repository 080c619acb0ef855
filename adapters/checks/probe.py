"""A probe: every staging host must answer a GET as it should."""

import asyncio
from collections.abc import Sequence

from adapters.checks.finding import Finding
from adapters.wire import Wire, WireAnswer, WireError
from pipeline.checks import CheckRule
from pipeline.model import Host
from pipeline.ports import Clock
from pipeline.text import plain

EXCERPT = 80


async def run_probe(check: CheckRule, hosts: Sequence[Host], wire: Wire, clock: Clock) -> Finding:
    """Passes if all of `hosts` answer as the check wants it; the detail names those that did not."""
    wrongs = await asyncio.gather(*(_wrong(check, host, wire, clock) for host in hosts))
    failed = [f"{host.name}: {wrong}" for host, wrong in zip(hosts, wrongs, strict=True) if wrong is not None]
    if not failed:
        return Finding(True, f"{check.status} from {', '.join(host.name for host in hosts)}")
    good = len(hosts) - len(failed)
    return Finding(False, f"{'; '.join(failed)}; {good} of {len(hosts)} passed")


async def _wrong(check: CheckRule, host: Host, wire: Wire, clock: Clock) -> str | None:
    """What is wrong with the host's answer; None where nothing is."""
    begun = clock.monotonic()
    try:
        answer = await wire.request(host.address, "GET", check.path, timeout_s=check.deadline_s)
    except WireError as error:
        return error.why
    took_s = clock.monotonic() - begun
    if answer.status != check.status:
        return f"{answer.status}, expected {check.status}"
    for name, value in check.headers.items():
        if (why := _header_wrong(answer, name.lower(), value)) is not None:
            return f"{answer.status} {why}"
    if check.contains and check.contains not in answer.body.decode("utf-8", "replace"):
        return f'{answer.status} without "{check.contains}": {_excerpt(answer)}'
    if check.within_s is not None and took_s > check.within_s:
        return f"{answer.status} after {took_s * 1000:.0f} ms, expected within {check.within_s * 1000:g} ms"
    return None


def _header_wrong(answer: WireAnswer, name: str, value: str) -> str | None:
    """An empty `value` asks for the header alone."""
    got = answer.headers.get(name)
    if got is None:
        return f"without header {name}"
    if value and got != value:
        return f'with {name} "{plain(got, EXCERPT)}", expected "{value}"'
    return None


def _excerpt(answer: WireAnswer) -> str:
    return f'"{plain(answer.body.strip(), EXCERPT)}"' if answer.body.strip() else "an empty body"
