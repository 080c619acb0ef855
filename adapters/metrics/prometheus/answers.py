"""What a server answers, and what became of a question that brought no answer."""

import re
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from pipeline.text import PlainText, plain

BODY_LIMIT = 32 * 1024 * 1024
"""Bytes of an answer, unpacked."""
_SHOWN = 200
_BATCH = 2_000


class Kind(StrEnum):
    REFUSED = "refused"
    """No connection, or one that broke."""
    TIMEOUT = "timeout"
    AUTH = "auth"
    NOT_PROMETHEUS = "not-prometheus"
    """A login page, another service, JSON of another shape."""
    QUERY = "query"
    """The server understood us and will not evaluate this query."""
    OVERLOADED = "overloaded"
    PARTIAL = "partial"
    """The server says itself that data are missing: nothing is known then."""
    TOO_LARGE = "too-large"


class MetricsUnavailable(Exception):
    """There is no answer that may be believed; `why` is one plain line."""

    def __init__(self, kind: Kind, why: str) -> None:
        super().__init__(why)
        self.kind = kind
        self.why: PlainText = plain(why, 300)

    @property
    def told(self) -> PlainText:
        """`why`, named by its kind where it does not say that itself."""
        named = self.kind in (Kind.REFUSED, Kind.TIMEOUT) and self.kind not in self.why
        return plain(f"{self.kind}: {self.why}") if named else self.why


class Series(msgspec.Struct, frozen=True, gc=False):
    """One series of an answer; a `Struct` because answers have 100,000 of them."""

    metric: dict[str, str]
    """Its labels. They are text from outside."""
    value: tuple[float, str] | None = None
    """(unix seconds, number as text) of an instant query."""
    values: list[tuple[float, str]] = []
    """Likewise, of a range query, ascending."""

    @property
    def at_s(self) -> float:
        """When the query was evaluated, unix seconds of the server."""
        return self.value[0] if self.value is not None else float("nan")

    @property
    def number(self) -> float:
        """The instant's number; NaN where there is none."""
        return number(self.value[1]) if self.value is not None else float("nan")


class _Data(msgspec.Struct, gc=False):
    result: list[msgspec.Raw]


class _Answer(msgspec.Struct):
    status: str
    data: _Data | None = None
    error: str = ""
    warnings: list[str] | None = None
    infos: list[str] | None = None
    is_partial: bool = msgspec.field(name="isPartial", default=False)
    """VictoriaMetrics' cluster says so here."""


class _Outline(msgspec.Struct):
    """Of an answer of any shape."""

    status: str
    error: str = ""
    data: object = None


_TITLE = re.compile(rb"<title>([^<]{1,500})</title>", re.IGNORECASE)
_ANSWER = msgspec.json.Decoder(_Answer)
_SERIES = msgspec.json.Decoder(list[Series])
_OUTLINE = msgspec.json.Decoder(_Outline)
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


def series_of(body: bytes) -> tuple[list[Series], tuple[PlainText, ...]]:
    """(series, what the server remarks) of an answer to a query. Raises `MetricsUnavailable`."""
    try:
        answer = _ANSWER.decode(body)
        found = _in_batches(answer.data.result) if answer.data is not None else []
    except _UNREADABLE:
        raise _another_shape(body) from None
    if answer.status != "success" or answer.data is None:
        raise MetricsUnavailable(Kind.QUERY, answer.error or "an answer that is neither a success nor an error")
    if answer.warnings or answer.is_partial:
        why = "; ".join((answer.warnings or ["the server says so"])[:3])
        raise MetricsUnavailable(Kind.PARTIAL, f"partial answer: {why}")
    if any(series.value is None and not series.values for series in found):
        raise MetricsUnavailable(Kind.QUERY, "series without plain numbers (native histograms?): name classic ones")
    return found, _lines(answer.infos)


def any_of(body: bytes) -> object:
    """The data of an answer of another kind. Raises `MetricsUnavailable`."""
    try:
        outline = _OUTLINE.decode(body)
    except _UNREADABLE:
        raise MetricsUnavailable(Kind.NOT_PROMETHEUS, f"not Prometheus' JSON: {_begin(body)}") from None
    if outline.status != "success":
        raise MetricsUnavailable(Kind.QUERY, outline.error or "an answer that is no success")
    return outline.data


def error_of(body: bytes) -> str:
    """The server's own words for a refusal, a page's title, or how its answer begins."""
    try:
        error = _OUTLINE.decode(body).error
    except _UNREADABLE:
        title = _TITLE.search(body)
        error = plain(title[1].strip()) if title else ""
    return plain(error or _begin(body), _SHOWN)


def number(text: str) -> float:
    """A sample's value; NaN for what is no number."""
    try:
        # Python also reads digits of other scripts and underscores between digits.
        return float(text) if text.isascii() and "_" not in text else float("nan")
    except ValueError:
        return float("nan")


def _in_batches(rows: Sequence[msgspec.Raw]) -> list[Series]:
    """Decoding holds the interpreter: of 100,000 rows at once it would stop the event loop for a tenth of a second."""
    found: list[Series] = []
    for at in range(0, len(rows), _BATCH):
        found += _SERIES.decode(b"[" + b",".join(rows[at : at + _BATCH]) + b"]")
    return found


def _another_shape(body: bytes) -> MetricsUnavailable:
    try:
        data = _OUTLINE.decode(body).data
    except _UNREADABLE:
        data = None
    if isinstance(data, dict) and data.get("resultType") in ("scalar", "string"):
        return MetricsUnavailable(Kind.QUERY, f"the query gives a {data['resultType']}: one series a host is wanted")
    return MetricsUnavailable(Kind.NOT_PROMETHEUS, f"not Prometheus' JSON: {_begin(body)}")


def _begin(body: bytes) -> str:
    return plain(body[:400].strip(), 60) or "an empty body"


def _lines(texts: Sequence[str] | None) -> tuple[PlainText, ...]:
    return tuple(plain(text, _SHOWN) for text in (texts or ())[:5])
