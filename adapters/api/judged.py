"""The judge's records, by the page."""

import msgspec

from pipeline.judge.look import LookRecord, Recorded

MOST_RECORDS = 500
"""On one page, whatever is asked for; a page of large ones is shorter."""


class Looks(msgspec.Struct, frozen=True):
    looks: tuple[LookRecord, ...]
    more: bool
    """Whether there may be more after the last of these."""


class Stretches(msgspec.Struct, frozen=True):
    recorded: tuple[Recorded, ...]
    more: bool
