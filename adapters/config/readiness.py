"""What a service states of itself for its readiness: `[X.readiness]`."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from adapters.config.errors import Spot, nearest
from adapters.config.schema import Key, Section, Values
from adapters.config.values import name, number, page, ratio, sequence, text, unique, whole
from pipeline.model import Service
from pipeline.readiness.catalogue import ITEMS
from pipeline.readiness.rules import SECTIONS, ReadinessRules

UNITS: Mapping[str, int] = {
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
    "TiB": 1 << 40,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
}
MOST_BYTES = 1 << 50
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,99}\Z")


def size(value: object, spot: Spot) -> float:
    """Bytes, as a number or with a unit: 536870912 and "512MiB" are the same."""
    found: Any = value
    if isinstance(value, str):
        unit = next((unit for unit in UNITS if value.endswith(unit)), "")
        amount = value.removesuffix(unit).strip()
        plain = amount.isascii() and amount.replace(".", "", 1).isdigit() and len(amount) < 20
        found = float(amount) * UNITS[unit] if unit and plain else None
    if isinstance(found, bool) or not isinstance(found, int | float) or not 1 <= found <= MOST_BYTES:
        spot.expected('a size such as "512MiB" or "2GiB", or a number of bytes', value)
    return float(found)


def row(value: object, spot: Spot) -> str:
    if not isinstance(value, str) or value not in ITEMS:
        near = nearest(value.upper() if isinstance(value, str) else "", ITEMS)
        spot.expected(f"the id of a row of the readiness list ({near})", value)
    return value


_rows = unique(sequence(row, most=100))


def rows(value: object, spot: Spot) -> frozenset[str]:
    return frozenset(_rows(value, spot))


def link(value: object, spot: Spot) -> str:
    """A page of HTTP or HTTPS, or the path of a file."""
    found = text(500)(value, spot)
    try:
        parts = urlsplit(found)
        named = parts.username is not None or parts.password is not None
    except ValueError:
        spot.expected("a link, or the path of a file", value)
    if named:
        spot.refuse("a link has no user's name or password in it: everybody who looks at the list would read them")
    return found


def label(value: object, spot: Spot) -> str:
    if not isinstance(value, str) or not _LABEL.match(value):
        spot.expected("a label's name, such as client", value)
    return value


READINESS = Section(
    {
        "rows": Key(rows),
        "repository": Key(text(300)),
        "owner": Key(text(80)),
        "clients": Key(unique(sequence(name, most=1_000))),
        "client_label": Key(label),
        "health_path": Key(page),
        "liveness_path": Key(page),
        "growth": Key(text(200)),
        "host_rps": Key(number(0.001, 10**9)),
        "cpu_limit": Key(number(0.001, 10_000)),
        "memory_limit": Key(size, "memory_limit_bytes"),
        "suites": Key(unique(sequence(name, least=1, most=50))),
        "runbook": Key(link),
        "dashboards": Key(unique(sequence(link, most=20))),
        "oncall": Key(unique(sequence(text(80), most=100))),
        "docs": Key(Section({section: Key(link) for section in SECTIONS})),
        "load_test_days": Key(whole(1, 3_650)),
        "peak_share": Key(ratio(0.01, 1.0)),
    }
)


def layered(base: ReadinessRules, said: Values) -> ReadinessRules:
    values = {**said, "docs": {**base.docs, **said["docs"]}} if "docs" in said else said
    return replace(base, **values)


def check(service: Service, own: Values, spot: Spot, common: Spot) -> None:
    """Report a list that binds and has no rows: it would pass with nothing shown."""
    if service.business_critical and service.rules.readiness.rows == frozenset():
        at = spot if "rows" in own.get("readiness", {}) else common
        (at / "readiness" / "rows").wrong(
            f"no row counts, but {service.name} is business-critical, so that its list binds: name rows, or leave rows "
            "out and all count"
        )
