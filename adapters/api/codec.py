"""The lines and bodies of the API, as JSON. What comes in is checked against its type, field by field."""

from datetime import datetime

import msgspec

from pipeline.commands import Receipt
from pipeline.events import Event
from pipeline.logs import LogPage
from pipeline.view import DayCounts, FleetView, HistoryPage, Proposal, ServiceRow, ServiceView

LONGEST_LINE = 32 * 2**20
"""Bytes; the whole view of a fleet of 1,000 is about 0.6 MB."""


class Whole(msgspec.Struct, frozen=True, tag_field="kind", tag="fleet"):
    fleet: FleetView


class Delta(msgspec.Struct, frozen=True, tag_field="kind", tag="delta", omit_defaults=True):
    """What became of the view with sequence `since`: a new head, and the rows that differ."""

    since: int
    at: datetime
    sequence: int
    tick_s: float
    changed: tuple[ServiceRow, ...] = ()
    names: tuple[str, ...] | None = None
    """All services in their order, where that has changed; those not named are gone."""
    last: Event | None = None
    notices: tuple[str, ...] = ()
    day: DayCounts | None = None


class Page(msgspec.Struct, frozen=True, tag_field="kind", tag="service"):
    service: ServiceView


class Problem(msgspec.Struct, frozen=True):
    """Why there is no answer: the body of every error, in the three parts of `Refused`."""

    what: str
    why: str
    mend: str


class No(Problem, frozen=True, tag_field="kind", tag="refused"):
    """The same as the last line of a stream."""


class Beat(msgspec.Struct, frozen=True, tag_field="kind", tag="beat"):
    """Nothing new; the line is alive."""


class Health(msgspec.Struct, frozen=True):
    pid: int
    version: str
    token: int
    uptime_s: float
    read_only: bool
    """Whether commands are refused on this socket."""


encode = msgspec.json.Encoder().encode

fleet_line = msgspec.json.Decoder(Whole | Delta | Beat).decode
service_line = msgspec.json.Decoder(Page | No | Beat).decode
problem = msgspec.json.Decoder(Problem).decode
fleet_view = msgspec.json.Decoder(FleetView).decode
history_page = msgspec.json.Decoder(HistoryPage).decode
health = msgspec.json.Decoder(Health).decode
proposal = msgspec.json.Decoder(Proposal).decode
receipt = msgspec.json.Decoder(Receipt).decode
log_page = msgspec.json.Decoder(LogPage).decode
