"""What people have laid down about services, each paper in its newest state."""

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

import msgspec

from adapters.exact import to_json
from adapters.history.rows import instant
from pipeline.docket import (
    Attestation,
    CiResult,
    Correction,
    Incident,
    LoadTest,
    Lock,
    Paper,
    Pass,
    Reservation,
    SecurityFix,
    services_of,
)

KINDS: Mapping[str, type[Paper]] = MappingProxyType(
    {
        "lock": Lock,
        "reservation": Reservation,
        "attestation": Attestation,
        "incident": Incident,
        "pass": Pass,
        "security-fix": SecurityFix,
        "correction": Correction,
        "load-test": LoadTest,
        "ci": CiResult,
    }
)
_words = {kind: word for word, kind in KINDS.items()}
# Lax, as of releases: a rate may be infinite, for which JSON has no number.
_decoders: dict[str, msgspec.json.Decoder[Paper]] = {
    word: msgspec.json.Decoder(kind, strict=False) for word, kind in KINDS.items()
}


def write(db: sqlite3.Connection, papers: Iterable[Paper], now: datetime) -> None:
    """Inside a transaction. One of an id that is kept already takes its place."""
    db.executemany(
        "INSERT INTO papers (id, number, kind, service, at, body, updated) "
        "VALUES (?, (SELECT COALESCE(MAX(number), 0) + 1 FROM papers), ?, ?, ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET at = excluded.at, body = excluded.body, updated = excluded.updated",
        [
            (one.id, _words[type(one)], services_of(one)[0], instant(one.at), to_json(one), instant(now))
            for one in papers
        ],
    )


def papers(db: sqlite3.Connection) -> tuple[Paper, ...]:
    """All, in the order in which they were made.

    Raises `msgspec.ValidationError` for a body that this version cannot read.
    """
    rows = db.execute("SELECT kind, body FROM papers ORDER BY number")
    return tuple(_decoded(kind, body) for kind, body in rows)


def _decoded(kind: str, body: str) -> Paper:
    if kind not in _decoders:
        raise msgspec.ValidationError(f"a paper of kind {kind!r} is not known")
    return _decoders[kind].decode(body)
