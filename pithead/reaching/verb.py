"""`pithead check --reach`: reach everything, print what is wrong, and say by the exit code whether anything is."""

import asyncio
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

from adapters.config import Settings
from adapters.config.errors import nearest
from pipeline.ports import Clock
from pipeline.words import some
from pithead.clock import SystemClock
from pithead.exits import Exit, Failure
from pithead.out import Out
from pithead.places import places
from pithead.reaching.folders import folders
from pithead.reaching.progress import Progress
from pithead.reaching.reached import PLURAL, Kind, Reached
from pithead.reaching.run import reach
from pithead.reaching.signals import ON

HEAD = ("WHAT", "SERVICE", "WHY: HOW TO MEND IT")
ALL = "-"
NAMED = 3
"""Things with the same trouble that a line names."""


def reached(
    settings: Settings,
    only: Sequence[str],
    out: Out,
    *,
    as_json: bool,
    stderr: IO[str] | None = None,
    clock: Clock | None = None,
) -> int:
    """`only` are services; none is all. Raises `Failure`, and `KeyboardInterrupt` when it is ended."""
    for name in only:
        if name not in settings.fleet.services:
            raise Failure(f'service "{name}"', nearest(name, settings.fleet.services), "correct its name", Exit.USAGE)
    if not as_json:
        out.line(f"{settings.path}: no errors{_warned(len(settings.warnings))}")
    progress = Progress(stderr if stderr is not None else sys.stderr)
    run = os.environ.get("PITHEAD_RUN_DIR")
    found = folders(places(settings, Path(run).absolute() if run else None))
    found += asyncio.run(reach(settings, frozenset(only), clock or SystemClock(), progress))
    if as_json:
        out.json([_row(each) for each in found])
    else:
        _print(found, out)
    return Exit.DONE if all(each.ok for each in found) else Exit.REFUSED


def _warned(count: int) -> str:
    return f", {count} warning{'' if count == 1 else 's'} (pithead check tells)" if count else ""


def _row(of: Reached) -> dict[str, object]:
    return {
        "kind": of.kind.value,
        "service": of.service,
        "name": of.name,
        "ok": of.ok,
        "said": of.said,
        "mend": of.mend,
    }


def _print(found: Sequence[Reached], out: Out) -> None:
    rows = list(lines(found))
    if rows:
        out.table([HEAD, *rows])
    out.line(summary(found))


def lines(found: Iterable[Reached]) -> Iterable[tuple[str, str, str]]:
    """What is wrong; things of a service with the very same trouble make one line."""
    alike: dict[tuple[Kind, str, str, str], list[Reached]] = {}
    for each in found:
        if not each.ok:
            alike.setdefault((each.kind, each.service, each.said, each.mend), []).append(each)
    for (kind, service, said, mend), group in sorted(alike.items(), key=lambda item: list(Kind).index(item[0][0])):
        names = list(dict.fromkeys(each.name for each in group))
        yield f"{kind} {_named(names)}", service or ALL, f"{said}: {mend}"


def _named(names: list[str]) -> str:
    """What all of their ends have in common is said once: "errors, p99 on staging"."""
    ends = {name.partition(ON)[2] for name in names}
    end = f"{ON}{ends.pop()}" if len(ends) == 1 and names[0].partition(ON)[1] else ""
    return some([name.removesuffix(end) for name in names], NAMED) + end


def summary(found: Sequence[Reached]) -> str:
    """As in "hosts 12 of 12, metrics 23 of 24"."""
    parts = []
    for kind in Kind:
        well: dict[tuple[str, str], bool] = {}
        for each in found:
            if each.kind is kind:
                key = (each.service, each.name)
                well[key] = well.get(key, True) and each.ok
        if well:
            parts.append(f"{PLURAL[kind]} {sum(well.values())} of {len(well)}")
    return ", ".join(parts) or "there was nothing to reach"
