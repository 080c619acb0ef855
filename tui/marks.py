"""Marks that are loud wherever a service is drawn: break-glass, a security fix, an open incident, a door that is
closed. Pure.
"""

from collections.abc import Sequence
from datetime import datetime

from pipeline.view import Deploy, ServiceRow, State
from tui.budget_order import is_closed
from tui.budget_words import deploy_tone, may_deploy
from tui.theme import Palette
from tui.widgets.pane import Look, folded
from tui.widgets.runs import Runs
from tui.words import fit, harmless

MOST = 3
"""Lines of such marks over a list of services."""
_AT_REST = {Deploy.BLOCKED: State.BLOCK, Deploy.HOLD: State.LOCK}


def glass(row: ServiceRow) -> str:
    """As in "BREAK-GLASS until 14:02 UTC by ana, approved by ben", or ""."""
    return f"BREAK-GLASS {harmless(row.glass)}" if row.glass else ""


def security_fix(row: ServiceRow) -> str:
    """As in "SECURITY FIX r878 (CVE-2026-1234) until ... by ana, approved by ben", or ""."""
    return f"SECURITY FIX {harmless(row.security_fix)}" if row.security_fix else ""


def incident(row: ServiceRow) -> str:
    return f"INCIDENT {harmless(row.incident)}" if row.incident else ""


def letter(row: ServiceRow) -> str:
    """Beside the name on a line: "G" while break-glass is in force, "S" a security fix, "I" an incident is open."""
    return "G" if row.glass else "S" if row.security_fix else "I" if row.incident else ""


def shown_state(row: ServiceRow) -> State:
    """Whose sign stands before the row: at rest, whether a new release could begin counts."""
    return _AT_REST.get(row.budget.deploy, row.state) if row.state is State.STEADY else row.state


def said_of(row: ServiceRow, at: datetime, palette: Palette, *, short: bool = False) -> Runs:
    """What is marked of one service, before why it is in its state; `short` where a banner says the rest."""
    runs: Runs = ()
    if row.glass:
        runs = (*runs, (" BREAK-GLASS " if short else f" {glass(row)} ", palette.alarm), ("  ", palette.plain))
    if row.security_fix:
        runs = (*runs, (" SECURITY FIX " if short else f" {security_fix(row)} ", palette.alarm), ("  ", palette.plain))
    if row.incident:
        runs = (*runs, (f"{harmless(row.incident) if short else incident(row)}; ", palette.fail))
    its = row.budget
    closed = is_closed(row) or (its.deploy is Deploy.UNKNOWN and not row.release)
    if closed and not (its.deploy_why and its.deploy_why in row.why):
        why = f": {harmless(its.deploy_why)}" if its.deploy_why else ""
        runs = (*runs, (f"deploy {may_deploy(its, at)}{why}; ", deploy_tone(its.deploy, palette)))
    return runs


def warned(row: ServiceRow, palette: Palette) -> Runs:
    """What a gate will close for if nothing is done: behind why it is in its state."""
    its = row.budget
    if its.deploy is not Deploy.WARN:
        return ()
    return ((f"; deploy WARN: {harmless(its.deploy_why)}", deploy_tone(its.deploy, palette)),)


def banner(rows: Sequence[ServiceRow], width: int, look: Look) -> tuple[Runs, ...]:
    """Over a list of services: each break-glass in force, each security fix, then each open incident; how many more."""
    palette = look.palette
    lines: list[Runs] = [
        ((fit(f" {harmless(row.name)}: {glass(row)} ", width, look.glyphs.more), palette.alarm),)
        for row in rows
        if row.glass
    ]
    lines += [
        ((fit(f" {harmless(row.name)}: {security_fix(row)} ", width, look.glyphs.more), palette.alarm),)
        for row in rows
        if row.security_fix
    ]
    lines += [
        ((fit(f" {harmless(row.name)}: {incident(row)}", width, look.glyphs.more), palette.fail),)
        for row in rows
        if row.incident and not row.glass and not row.security_fix
    ]
    if len(lines) <= MOST:
        return tuple(lines)
    more = f" and {len(lines) - MOST + 1} more under break-glass, a security fix or an incident"
    return (*lines[: MOST - 1], ((more, palette.alarm),))


def head_lines(row: ServiceRow, at: datetime, width: int, look: Look, *, most: int) -> tuple[Runs, ...]:
    """On the service's own page, a line or two of its own; none where nothing is marked."""
    if not (row.glass or row.security_fix or row.incident or is_closed(row)):
        return ()
    runs = said_of(row, at, look.palette)
    if not (row.glass or row.security_fix):
        runs = ((" ", look.palette.plain), *runs)
    text, style = runs[-1]
    runs = (*runs[:-1], (text.rstrip("; "), style))
    if not any(part.strip() for part, _ in runs):
        return ()
    return folded(runs, width, width, indent=3, most=most, more=look.glyphs.more)
