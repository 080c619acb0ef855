"""What the controller was asked about one service's budget: `Told`, and `ask` for it."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

from pipeline.commands import Refused
from pipeline.events import Event
from pipeline.ports import ControllerLost, ControlRoom, HistoryError
from pipeline.slo.report import BudgetReport
from pipeline.text import plain
from pipeline.view import HistoryQuery
from tui.burn_down import BurnDown, only_releases

EVERY_S = 10.0
"""From one question to the next."""
PATIENCE_S = 10.0
MOST = 100
"""Releases, and as many rollbacks."""


@dataclass(frozen=True, slots=True)
class Told:
    """The newest answer about one service, which may be old."""

    service: str = ""
    report: BudgetReport | None = None
    releases: tuple[Event, ...] = ()
    said: str = ""
    """Why there is no newer one; "" while answers come."""
    got: float = 0.0
    """Monotonic seconds."""

    @property
    def old(self) -> bool:
        return bool(self.report is not None and self.said)

    def burn_down(self) -> BurnDown | None:
        if self.report is None or not self.report.slos:
            return None
        return BurnDown(self.report.slos[0], self.report.outages, self.releases, self.report.at)


async def ask(room: ControlRoom, service: str, before: Told, now: float) -> Told:
    """The newest about `service`; what was told before stays where nobody answers."""
    kept = before if before.service == service else Told(service)
    try:
        async with asyncio.timeout(PATIENCE_S):
            report = await room.budget(service)
            releases = await _releases(room, service, report)
    except TimeoutError:
        return replace(kept, said=f"no budget: no answer in {PATIENCE_S:g} s")
    except Refused as no:
        return replace(kept, said=f"no budget: {plain(no.why)}: {plain(no.mend)}")
    except (ControllerLost, HistoryError) as lost:
        return replace(kept, said=f"no budget: {plain(str(lost)) or 'the controller does not answer'}")
    return Told(service, report, releases, "", now)


async def _releases(room: ControlRoom, service: str, report: BudgetReport) -> tuple[Event, ...]:
    """What moved in the window that is drawn."""
    start = report.slos[0].rolling.start if report.slos else report.at - timedelta(days=30)
    found: list[Event] = []
    for action in ("settled", "rollback"):
        page = await room.history(HistoryQuery(service=service, text=action, since=start, limit=MOST))
        found += only_releases(page.events)
    return tuple({event.id: event for event in found}.values())
