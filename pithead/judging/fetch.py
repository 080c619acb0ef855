"""What the computations need of the controller, page by page."""

from collections.abc import AsyncIterator
from datetime import datetime

from pipeline.commands import Refused
from pipeline.judge.look import LookRecord, Recorded
from pipeline.ports import ControlRoom
from pithead.names import service_name

PAGE = 500


async def recorded(room: ControlRoom, service: str, since: datetime) -> AsyncIterator[tuple[Recorded, ...]]:
    """A service's recorded stretches that ended after `since`, oldest first."""
    while page := await room.recorded(service, since, PAGE):
        yield page
        # A controller that answers with what was seen already would be asked for ever.
        if page[-1].at <= since:
            return
        since = page[-1].at


async def looks(room: ControlRoom, release: str, wave: int) -> AsyncIterator[tuple[LookRecord, ...]]:
    """A trial's looks, oldest first."""
    after = 0
    while page := await room.looks(release, wave, after, PAGE):
        yield page
        if page[-1].number <= after:
            return
        after = page[-1].number


async def meant(room: ControlRoom, typed: str) -> tuple[str, str]:
    """(service, release or ""): `typed` names a service, or a release as `SERVICE-N`.

    Raises:
        Refused: neither.
        Failure: it is no name at all.
    """
    name = service_name(typed)
    service, dash, number = name.rpartition("-")
    try:
        await room.configured(name)
    except Refused:
        if not (service and dash and number.isascii() and number.isdigit()):
            raise
        return service, name
    return name, ""
