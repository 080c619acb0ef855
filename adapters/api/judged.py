"""The judge's records as JSON. Infinities travel as strings, so what a client reads is taken laxly."""

from functools import cache
from typing import Any

import msgspec

from pipeline.judge.look import LookRecord, Recorded
from pipeline.judge.trial import TrialRecord
from pipeline.model import Service

MOST_RECORDS = 500
"""On one page, whatever is asked for; a page of large ones is shorter."""


class Looks(msgspec.Struct, frozen=True):
    looks: tuple[LookRecord, ...]
    more: bool
    """Whether there may be more after the last of these."""


class Stretches(msgspec.Struct, frozen=True):
    recorded: tuple[Recorded, ...]
    more: bool


def trial(raw: bytes) -> TrialRecord:
    found: TrialRecord = _decoder(TrialRecord).decode(raw)
    return found


def looks(raw: bytes) -> Looks:
    found: Looks = _decoder(Looks).decode(raw)
    return found


def recorded(raw: bytes) -> Stretches:
    found: Stretches = _decoder(Stretches).decode(raw)
    return found


def configured(raw: bytes) -> Service:
    found: Service = _decoder(Service).decode(raw)
    return found


@cache
def _decoder(kind: type) -> "msgspec.json.Decoder[Any]":
    # Made when first needed: few clients read any of these, and all of them start in a hurry.
    return msgspec.json.Decoder(kind, strict=False)
