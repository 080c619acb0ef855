"""The judge's values as small blobs: msgpack, deflated; a look by columns, one a signal.

A look repeats each signal's name for every host; by columns a name stands once and like numbers stand together,
which halves it. Counters are floats that are mostly whole: those take a byte or three as integers.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from adapters.exact import as_dict
from pipeline.judge.look import Calibration, Group, HostLook, Look
from pipeline.judge.trial import TrialRecord
from pipeline.judge.verdict import Judgement
from pipeline.signals import Histogram, Sample

T = TypeVar("T")
Signals = Mapping[str, float]

QUICK = 1
"""Level of zlib: higher ones save 3 % of a look and take thrice as long."""
EXACT = 2.0**53
"""Below it every whole float is an integer, and back."""


class _Histograms(msgspec.Struct, array_like=True):
    """One signal's histograms, by host."""

    edges: Sequence[tuple[float, ...]]
    """The different ones."""
    which: Sequence[int | None]
    """Of each host: its edges, or None where it gave no such signal."""
    counts: Sequence[tuple[float, ...]]
    """Of each host that gave it."""


class _Columns(msgspec.Struct):
    """A `Look`; each column has one place a host, in the order of `names`."""

    seconds: float
    expected: int
    down: tuple[str, ...]
    names: Sequence[str]
    groups: Sequence[Group]
    age_s: Sequence[float | None]
    host_s: Sequence[float]
    restarts: Sequence[float]
    counters: Mapping[str, Sequence[float | None]]
    gauges: Mapping[str, Sequence[float | None]]
    histograms: Mapping[str, _Histograms]


class _Judged(msgspec.Struct):
    look: _Columns
    judgement: Judgement


_encode = msgspec.msgpack.Encoder(enc_hook=as_dict).encode
_judged = msgspec.msgpack.Decoder(_Judged).decode
_look = msgspec.msgpack.Decoder(_Columns).decode
_trial = msgspec.msgpack.Decoder(TrialRecord).decode
_calibration = msgspec.msgpack.Decoder(Calibration).decode


def deflated(raw: bytes) -> bytes:
    return zlib.compress(raw, QUICK)


def inflated(body: bytes) -> bytes:
    """Raises `ValueError` for what `deflated` has not made."""
    try:
        return zlib.decompress(body)
    except zlib.error as exc:
        raise ValueError(f"a body is damaged: {exc}") from exc


def pack(value: TrialRecord | Calibration) -> bytes:
    return deflated(_encode(value))


def to_trial(body: bytes) -> TrialRecord:
    """Raises `ValueError` or `msgspec.MsgspecError` for a body that cannot be read, as all that read here do."""
    return _trial(inflated(body))


def to_calibration(body: bytes) -> Calibration:
    return _calibration(inflated(body))


def pack_look(look: Look) -> bytes:
    return deflated(_encode(_by_columns(look)))


def to_look(body: bytes) -> Look:
    return _by_hosts(_look(inflated(body)))


def pack_judged(look: Look, judgement: Judgement) -> bytes:
    return deflated(_encode(_Judged(_by_columns(look), judgement)))


def to_judged(body: bytes) -> tuple[Look, Judgement]:
    found = _judged(inflated(body))
    return _by_hosts(found.look), found.judgement


def _by_columns(look: Look) -> _Columns:
    hosts = look.hosts.values()
    samples = [host.sample for host in hosts]
    return _Columns(
        seconds=look.seconds,
        expected=look.expected,
        down=look.down,
        names=list(look.hosts),
        groups=[host.group for host in hosts],
        age_s=[None if host.age_s is None else _short(host.age_s) for host in hosts],
        host_s=_shorts(sample.host_s for sample in samples),
        restarts=_shorts(sample.restarts for sample in samples),
        counters=_columns([sample.counters for sample in samples]),
        gauges=_columns([sample.gauges for sample in samples]),
        histograms=_histograms([sample.histograms for sample in samples]),
    )


def _by_hosts(table: _Columns) -> Look:
    size = len(table.names)
    rows = zip(
        table.names,
        table.groups,
        table.age_s,
        table.host_s,
        table.restarts,
        _rows(table.counters, size),
        _rows(table.gauges, size),
        _histogram_rows(table.histograms, size),
        strict=True,
    )
    hosts = {
        name: HostLook(group, Sample(host_s, counters, gauges, histograms, restarts), age_s)
        for name, group, age_s, host_s, restarts, counters, gauges, histograms in rows
    }
    return Look(table.seconds, hosts, table.expected, table.down)


def _short(number: float) -> float:
    return int(number) if number % 1 == 0 and -EXACT < number < EXACT else number


def _shorts(numbers: Iterable[float]) -> list[float]:
    return [int(number) if number % 1 == 0 and -EXACT < number < EXACT else number for number in numbers]


def _names(hosts: Iterable[Mapping[str, T]]) -> Iterable[str]:
    """In the order in which they are met."""
    return dict.fromkeys(name for host in hosts for name in host)


def _columns(hosts: Sequence[Signals]) -> dict[str, list[float | None]]:
    return {
        name: [None if (number := host.get(name)) is None else _short(number) for host in hosts]
        for name in _names(hosts)
    }


def _rows(columns: Mapping[str, Sequence[float | None]], size: int) -> list[dict[str, float]]:
    rows: list[dict[str, float]] = [{} for _ in range(size)]
    for name, column in columns.items():
        for row, number in zip(rows, column, strict=True):
            if number is not None:
                row[name] = number
    return rows


def _histograms(hosts: Sequence[Mapping[str, Histogram]]) -> dict[str, _Histograms]:
    table = {}
    for name in _names(hosts):
        edges: dict[tuple[float, ...], int] = {}
        found = [host.get(name) for host in hosts]
        which = [None if one is None else edges.setdefault(one.edges, len(edges)) for one in found]
        counts = [tuple(_shorts(one.counts)) for one in found if one is not None]
        table[name] = _Histograms(list(edges), which, counts)
    return table


def _histogram_rows(table: Mapping[str, _Histograms], size: int) -> list[dict[str, Histogram]]:
    rows: list[dict[str, Histogram]] = [{} for _ in range(size)]
    for name, signal in table.items():
        counts = iter(signal.counts)
        for row, which in zip(rows, signal.which, strict=True):
            if which is not None:
                row[name] = Histogram(signal.edges[which], next(counts))
    return rows
