"""Each metric of each service: on which hosts is there all that it is worked out from?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from adapters.config import Settings
from adapters.metrics.prometheus.queries import OwnQuery
from adapters.metrics.source import Matcher, SignalKind, SignalSource
from pipeline.expression import parsed
from pipeline.model import Host, MetricKind, MetricRule, Pool, Service
from pipeline.observed import HostFault
from pipeline.signals import Reading
from pipeline.text import plain
from pipeline.words import some
from pithead.outside import label_value
from pithead.reaching.reached import Kind, Reached, Wrong, told


@dataclass(frozen=True, slots=True)
class Read:
    """One host's reading, and how old it was when it was had."""

    reading: Reading | HostFault
    age_s: float


Readings = Mapping[str, Read]
"""By host name."""
BUDGET = "budget"
ON = " on "
"""Between a metric's name and the hosts' pool."""
UNUSABLE = "gives no answer that can be used"
"""How the fault of a host ends whose server was not asked for it."""
SHOWN = 2
"""Kinds of faults that one line tells."""


@dataclass(frozen=True, slots=True)
class Lack:
    """Why a host does not give what a metric needs."""

    host: Host
    why: str
    like: str
    """The same for hosts with the same trouble."""
    mend: str


class Signals:
    """What the configuration says of signals, for those who look for them."""

    def __init__(self, settings: Settings) -> None:
        its = settings.prometheus
        self.server = its.server.base if its is not None else ""
        self._label = its.labels.host if its is not None else ""
        self._value: Callable[[Host], str] = label_value(its) if its is not None else (lambda host: host.address)
        self._is = its.host_is if its is not None else ""
        self._extra = its.labels.extra if its is not None else ()
        queries: Sequence[SignalSource | OwnQuery] = (*settings.signals, *(its.queries if its is not None else ()))
        self._by_name = {signal.name: signal for signal in queries}

    def lacks(self, name: str, host: Host) -> Lack:
        """The host is measured, and does not give this signal."""
        signal = self._by_name[name]
        if isinstance(signal, OwnQuery):
            why = f'no number from the query of signals.{name} where {self._label}="{self._value(host)}"'
            mend = f"try signals.{name}.promql on the server: one series a host is wanted, a finite number"
        elif self.server:
            why = f"no series {self._selector(signal, host)}"
            mend = f"see whether the service exposes it and the server keeps it, or correct signals.{name}"
        else:
            why = f"no {_family(signal)} on {signal.path}"
            mend = f"see whether the service exposes it there, or correct signals.{name}"
        return Lack(host, why, self._like(why, host), mend)

    def fault(self, host: Host, why: str) -> Lack:
        """The host is not measured at all."""
        if not self.server:
            mend = "see whether the host serves its metrics page, or correct the path in [signals.NAME]"
        elif why.endswith(UNUSABLE):
            mend = "mend the server first: its own line says how"
        elif self.server in why:
            mend = "see whether the server takes each query of [signals.NAME] and answers in time"
        elif "several series" in why or "scrape targets" in why:
            mend = "choose one by prometheus.matchers, or by labels in the series of [signals.NAME]"
        elif "no usable number" in why:
            mend = "see what the server has there: NaN, or less than 0, is no count"
        elif "a scrape came in" in why:
            mend = "run it again: another scrape came in each time"
        else:
            mend = f"have the server scrape it with {self._label} = its {self._is} (prometheus.host_label, host_is)"
        return Lack(host, why, self._like(why, host), mend)

    def old(self, host: Host, age_s: float, stale_s: float) -> Lack:
        why = f"newest scrape is {age_s:.0f} s old, and the judge takes none over {stale_s:g} s"
        return Lack(host, why, "old", "scrape more often, or raise judge.stale")

    def _selector(self, signal: SignalSource, host: Host) -> str:
        conditions = [*map(_written, (*signal.matchers, *self._extra)), f'{self._label}="{self._value(host)}"']
        return f"{_family(signal)}{{{','.join(conditions)}}}"

    def _like(self, why: str, host: Host) -> str:
        return why.replace(f'"{self._value(host)}"', "...").replace(host.address, "...")


def metrics(service: Service, readings: Readings, signals: Signals) -> list[Reached]:
    """A line for each metric and each of staging and production that has hosts."""
    budget = service.rules.budget
    wanted = [(rule.key, needed(rule)) for rule in service.rules.judge.metrics]
    wanted.append((BUDGET, (budget.total, budget.bad)))
    found: list[Reached] = []
    for pool in (Pool.PRODUCTION, Pool.STAGING):
        hosts = [host for host in service.hosts if host.pool is pool]
        for key, names in wanted if hosts else ():
            stale_s = service.rules.judge.stale_s
            lacks = [lack for host in hosts if (lack := _lack(host, names, readings, signals, stale_s))]
            count = f"{len(hosts) - len(lacks)} of {len(hosts)} {pool} hosts"
            wrong = [Wrong(f"{count}; {_told(lacks)}", lacks[0].mend)] if lacks else []
            found += told(Kind.METRIC, service.name, f"{key}{ON}{pool}", wrong, count)
    return found


def needed(rule: MetricRule) -> tuple[str, ...]:
    """The signals that a metric is worked out from; none where any counter will do."""
    if rule.kind is MetricKind.RATIO:
        return (rule.total, rule.bad)
    if rule.kind is MetricKind.EXPRESSION:
        return parsed(rule.expression).names
    return () if rule.kind is MetricKind.RESTARTS else (rule.of,)


def _lack(host: Host, names: Sequence[str], readings: Readings, signals: Signals, stale_s: float) -> Lack | None:
    read = readings[host.name]
    reading = read.reading
    if isinstance(reading, HostFault):
        return signals.fault(host, reading.why)
    if read.age_s > stale_s:
        return signals.old(host, read.age_s, stale_s)
    there = reading.counters.keys() | reading.gauges.keys() | reading.histograms.keys()
    missing = next((name for name in names if name not in there), None)
    if missing is not None:
        return signals.lacks(missing, host)
    if not names and not reading.counters:
        return Lack(host, "no counter at all", "no counter", "expose any counter, to tell a restart by")
    return None


def _told(lacks: Sequence[Lack]) -> str:
    """Hosts with the same trouble together."""
    alike: dict[str, list[Lack]] = {}
    for lack in lacks:
        alike.setdefault(lack.like, []).append(lack)
    groups = list(alike.items())
    parts = [
        f"{some([lack.host.name for lack in group])}: {group[0].why if len(group) == 1 else _common(like, group)}"
        for like, group in groups[:SHOWN]
    ]
    rest = sum(len(group) for _, group in groups[SHOWN:])
    return plain("; ".join([*parts, *([f"{rest} more hosts in other ways"] if rest else [])]))


def _common(like: str, group: Sequence[Lack]) -> str:
    return like if "..." in like else group[0].why


def _family(signal: SignalSource) -> str:
    return f"{signal.family}_bucket" if signal.kind is SignalKind.HISTOGRAM else signal.family


def _written(matcher: Matcher) -> str:
    return f'{matcher.label}{matcher.op}"{matcher.value}"'
