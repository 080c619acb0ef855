"""What production hosts use of CPU and memory, minute by minute, until it is kept."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from pipeline.model import MetricKind, MetricRule, Service
from pipeline.readiness.use import Resource, Use, day_of, step
from pipeline.signals import Sample, value

UNITS: Mapping[Resource, str] = {Resource.CPU: "cores", Resource.MEMORY: "bytes"}
_Key = tuple[Resource, datetime]


class UseMeter:
    """Of one service: each host counts once a minute, and a minute counts in which most of them told."""

    def __init__(self, service: Service) -> None:
        self._service = service.name
        self._rules = _rules(service)
        self._minute: datetime | None = None
        self._levels: dict[Resource, dict[str, float]] = {}
        self._minutes: Counter[_Key] = Counter()
        self._counts: defaultdict[_Key, Counter[int]] = defaultdict(Counter)

    def observe(self, now: datetime, hosts: Sequence[str], samples: Mapping[str, Sample]) -> None:
        """`hosts` of production; `samples` of this tick, by host."""
        if not self._rules:
            return
        minute = now.replace(second=0, microsecond=0)
        if minute != self._minute:
            self._close(len(hosts))
            self._minute = minute
            self._levels = {resource: {} for resource in self._rules}
        for resource, rule in self._rules.items():
            levels = self._levels[resource]
            for host in hosts:
                if host in levels or host not in samples:
                    continue
                found = value(rule, samples[host])
                if found is not None:
                    levels[host] = found

    def _close(self, hosts: int) -> None:
        if self._minute is None:
            return
        for resource, levels in self._levels.items():
            if levels and 2 * len(levels) >= hosts:
                key = (resource, day_of(self._minute))
                self._minutes[key] += 1
                self._counts[key].update(map(step, levels.values()))

    def pending(self) -> tuple[Use, ...]:
        """What is not kept yet, of minutes that are over."""
        return tuple(
            Use(self._service, resource, day, self._minutes[resource, day], dict(counts))
            for (resource, day), counts in self._counts.items()
        )

    def kept(self) -> None:
        """All of `pending` is in the history."""
        self._minutes.clear()
        self._counts.clear()


def _rules(service: Service) -> Mapping[Resource, MetricRule]:
    """The gauges of those resources of which a limit is stated."""
    stated = service.rules.readiness
    limited = {Resource.CPU: stated.cpu_limit, Resource.MEMORY: stated.memory_limit_bytes}
    gauges = [rule for rule in service.rules.judge.metrics if rule.kind is MetricKind.GAUGE]
    found: dict[Resource, MetricRule] = {}
    for resource, limit in limited.items():
        rule = next((rule for rule in gauges if rule.unit == UNITS[resource]), None)
        if limit is not None and rule is not None:
            found[resource] = rule
    return found
