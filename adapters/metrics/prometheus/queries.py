"""The questions that bring a whole fleet's signals: a few for all hosts together, never one a host or a service.

Raw counts are asked for, never `rate()`: that is another number in each server, and no count.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from adapters.metrics.source import Matcher, Op, SignalKind, SignalSource

SCRAPED = "pithead:scraped:unix_seconds"
SCRAPED_WELL = "pithead:scraped_well:unix_seconds"
"""Recorded series."""
HOSTS = "$hosts"
"""Stands in a signal's own PromQL for the matcher of the hosts that are asked for."""

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
_PLAIN = {"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"}
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


@dataclass(frozen=True, slots=True)
class Labels:
    """How a host is told from others on the server. Raises `ValueError` for names that cannot be labels."""

    host: str = "instance"
    """Its value names the host, and one scrape target alone."""
    extra: tuple[Matcher, ...] = ()
    """Of every series: `job="checkout"`, a cluster, a replica of two servers that scrape the same."""
    up: str = "up"
    """The series that every scrape of a host leaves, 1 if it worked."""
    up_matchers: tuple[Matcher, ...] = ()
    """Where a proxy tells of the hosts behind it: `haproxy_server_status` with `state="UP"`."""
    recorded: bool = False
    """The server has the rules of `rules.py`: times of scrapes are read from series of theirs."""

    def __post_init__(self) -> None:
        for label in (self.host, *(matcher.label for matcher in (*self.extra, *self.up_matchers))):
            if not _LABEL.match(label):
                raise ValueError(f"expected a label's name, got {label!r}")
        if self.host in ("le", "__name__"):
            raise ValueError(f"{self.host!r} cannot tell hosts apart")


@dataclass(frozen=True, slots=True)
class OwnQuery:
    """A signal in PromQL of one's own: one series for each value of the host's label (a histogram's with `le`).

    Where it has `$hosts` in its braces, hosts in focus are asked for alone; otherwise all of them each time.
    """

    name: str
    kind: SignalKind
    promql: str


Signal = SignalSource | OwnQuery


def scraped(labels: Labels, only: Sequence[str] | None = None) -> str:
    """Unix seconds of each target's newest scrape, a row a target, so that two of one host are seen."""
    where = _conditions(labels, only)
    return _selector(SCRAPED, where) if labels.recorded else _times(labels, where)


def scraped_well(labels: Labels, only: Sequence[str] | None = None) -> str:
    """The same where the scrape worked, and 0 where it did not."""
    where = _conditions(labels, only)
    if labels.recorded:
        return _selector(SCRAPED_WELL, where)
    return f"{_times(labels, where)} * ({_selector(labels.up, (*labels.up_matchers, *where))} != bool 0)"


def ask(signal: Signal, labels: Labels, only: Sequence[str] | None = None) -> str:
    """The signal summed by host (and edge), of all hosts or `only` of those with these values of the label.

    A counter of which a host has no series that matches is 0 there if the host has the family at all.
    """
    where = _conditions(labels, only)
    if isinstance(signal, OwnQuery):
        return signal.promql.replace(HOSTS, ",".join(map(_matcher, where)) or f'{labels.host}!=""')
    if signal.kind is SignalKind.HISTOGRAM:
        return f"sum by ({labels.host},le) ({_selector(signal.family + '_bucket', (*signal.matchers, *where))})"
    total = f"sum by ({labels.host}) ({_selector(signal.family, (*signal.matchers, *where))})"
    if signal.kind is SignalKind.GAUGE or not signal.matchers:
        return total
    return f"{total} or 0 * count by ({labels.host}) ({_selector(signal.family, where)})"


def by_label(signal: SignalSource, label: str, labels: Labels) -> str:
    """A counter of all hosts, summed by host and by one more label."""
    return f"sum by ({labels.host},{label}) ({_selector(signal.family, (*signal.matchers, *labels.extra))})"


def one_of(values: Iterable[str]) -> str:
    """A pattern (RE2) that matches these values and nothing else."""
    return "|".join(_SPECIAL.sub(r"\\\g<0>", value) for value in values)


def quoted(text: str) -> str:
    """`text` as a string of PromQL, which takes Go's escapes; what UTF-8 cannot say becomes "?"."""
    inside = "".join(
        _PLAIN.get(char) or (char if " " <= char != "\x7f" else f"\\x{ord(char):02x}")
        for char in text.encode("utf-8", "replace").decode()
    )
    return f'"{inside}"'


def _times(labels: Labels, where: tuple[Matcher, ...]) -> str:
    return f"timestamp({_selector(labels.up, (*labels.up_matchers, *where))})"


def _conditions(labels: Labels, only: Sequence[str] | None) -> tuple[Matcher, ...]:
    if only is None:
        return labels.extra
    return (*labels.extra, Matcher(labels.host, Op.LIKE, one_of(only)))


def _selector(family: str, matchers: Iterable[Matcher]) -> str:
    # The name as a matcher: then it may be anything, and is quoted like the rest.
    return "{" + ",".join((f"__name__={quoted(family)}", *map(_matcher, matchers))) + "}"


def _matcher(matcher: Matcher) -> str:
    return f"{matcher.label}{matcher.op}{quoted(matcher.value)}"
