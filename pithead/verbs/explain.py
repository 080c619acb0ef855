"""`pithead explain`: why a service or a release is where it is, with what the judge saw."""

import re
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from pipeline.commands import Refused
from pipeline.events import Event
from pipeline.judge.look import LookRecord
from pipeline.judge.trial import TrialRecord
from pipeline.ports import ControllerLost, ControlRoom
from pipeline.view import HistoryQuery, ServiceView
from pipeline.words import duration
from pithead import why
from pithead.exits import Exit, Failure
from pithead.explained import Explained, Moment, moment, of_records, of_view
from pithead.judging.charts import has_blocks
from pithead.names import service_name
from pithead.out import Out
from pithead.sparks import WIDTH
from pithead.verbs.status import SILENT_S, SILENT_TICKS

RELEASE = re.compile(r"(.+)-(\d+)\Z", re.ASCII)
ENDS = ("settled", "restored", "rollback")
"""What may become of a release, by its events' actions."""
PAGE = 200
MOST_WAVES = 1_000


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def run(
    args: Namespace,
    room: ControlRoom,
    out: Out,
    now: Callable[[], datetime] = _utc_now,
    blocks: Callable[[], bool] = has_blocks,
) -> int:
    service, release, view = await _meant(service_name(args.target), room)
    by_look = args.look is not None or args.wave is not None
    live = view is not None and bool(view.row.release) and release in ("", view.row.release)
    if view is not None and live and not by_look:
        _tell(of_view(view), args, out, blocks)
        return _fresh(view, now(), out)
    if view is not None and not release and not by_look:
        return await _at_rest(view, args, room, out, now, blocks)
    _tell(await _recorded(service, release, args, room), args, out, blocks)
    return Exit.DONE


async def _meant(typed: str, room: ControlRoom) -> tuple[str, str, ServiceView | None]:
    """(service, release or "", the service's page): what is no service's name may be a release's."""
    view = await _view(typed, room)
    if view is not None:
        return typed, "", view
    found = RELEASE.match(typed)
    if found is None:
        raise Refused(typed, "no such service", "pithead status lists the services; a release is SERVICE-N")
    return found[1], typed, await _view(found[1], room)


async def _view(service: str, room: ControlRoom) -> ServiceView | None:
    try:
        async for view in room.service(service):
            return view
    except Refused:
        return None
    raise ControllerLost("it ended while it was asked")


async def _at_rest(
    view: ServiceView,
    args: Namespace,
    room: ControlRoom,
    out: Out,
    now: Callable[[], datetime],
    blocks: Callable[[], bool],
) -> int:
    """Nothing is on its way: the service as it stands, then what was seen of its newest release."""
    told = replace(of_view(view), metrics=(), judge=None)
    try:
        last = await _recorded(view.row.name, "", args, room)
    except Refused:
        last = None
    if args.json:
        out.json(told if last is None else _with_now(last, told))
    else:
        _tell(told, args, out, blocks)
        if last is not None:
            out.line()
            _tell(last, args, out, blocks)
    return _fresh(view, now(), out)


def _with_now(last: Explained, told: Explained) -> Explained:
    """The newest release's records under what holds the service now."""
    return replace(last, state=told.state, stable=told.stable, gates=told.gates, budget=told.budget, marks=told.marks)


def _tell(told: Explained, args: Namespace, out: Out, blocks: Callable[[], bool]) -> None:
    if args.json:
        out.json(told)
        return
    for line in why.page(told, blocks=blocks()):
        out.line(line)


def _fresh(view: ServiceView, now: datetime, out: Out) -> int:
    """UNKNOWN for a view so old that the controller must have stopped looking."""
    age_s = (now - view.at).total_seconds()
    if age_s <= max(SILENT_TICKS * view.tick_s, SILENT_S):
        return Exit.DONE
    out.error(f"explain: the controller has been silent for {duration(age_s)}, this is old: look at its log")
    return Exit.UNKNOWN


async def _recorded(service: str, release: str, args: Namespace, room: ControlRoom) -> Explained:
    """From the looks that were kept, of the newest wave unless one is named."""
    record = await _trial(service, release, args.wave, room)
    release, wave = record.trial.release, record.trial.wave
    newest = await _newest(room, release, wave)
    wanted = min(args.look, newest) if args.look is not None else newest
    page = await room.looks(release, wave, wanted - 1, 1) if newest else ()
    if not page or (args.look is not None and page[0].number != args.look):
        asked = f"look {args.look} is not kept" if args.look is not None else "no look is kept"
        kept = f"looks up to {newest} are" if newest else "none was recorded, or they have been cleared away"
        raise Failure(f"explain {release}", asked, f"{kept}; see pithead history {service}")
    before = await _moments(room, release, wave, page[0].number)
    return of_records(service, record, page[0], newest, before, await _ended(room, service, release))


async def _trial(service: str, release: str, wave: int | None, room: ControlRoom) -> TrialRecord:
    found = await room.trial(service, release, wave or 0)
    for later in range(1, MOST_WAVES) if wave is None else ():
        try:
            found = await room.trial(service, found.trial.release, later)
        except Refused:
            break
    return found


async def _newest(room: ControlRoom, release: str, wave: int) -> int:
    """The number of the newest look that is kept, 0 without any; asked for few records, whatever their number."""
    known, step = 0, 1
    while page := await room.looks(release, wave, known + step - 1 if known else 0, 1):
        known, step = page[-1].number, 2 * step
    none_above = known + step - 1
    while known and known < none_above:
        middle = (known + none_above) // 2
        page = await room.looks(release, wave, middle, 1)
        if page:
            known = page[-1].number
        else:
            none_above = middle
    return known


async def _moments(room: ControlRoom, release: str, wave: int, upto: int) -> list[Moment]:
    """Up to look `upto`, as many as a chart shows; each is asked for alone, since a page of them is large."""
    moments: list[Moment] = []
    last = 0
    for column in range(1, WIDTH + 1):
        wanted = max(upto * column // WIDTH, 1)
        if wanted <= last:
            continue
        page: tuple[LookRecord, ...] = await room.looks(release, wave, wanted - 1, 1)
        if not page or page[0].number > upto:
            break
        last = page[0].number
        moments.append(moment(page[0]))
    return moments


async def _ended(room: ControlRoom, service: str, release: str) -> Event | None:
    """The newest of what became of it, if that is not long ago."""
    found = []
    for action in ENDS:
        page = await room.history(HistoryQuery(service, action, limit=PAGE))
        found += [event for event in page.events if (event.release, event.action) == (release, action)]
    return max(found, key=lambda event: event.id, default=None)
