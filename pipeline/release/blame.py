"""Whom missing data are put down to.

The judge knows samples only, and takes a canary without them for the culprit. Here it is known why they are missing.
What the judge says is kept as it said it, so that it can be worked out again; what people read is put right.
"""

from dataclasses import replace

from pipeline.judge.look import Look
from pipeline.judge.verdict import Judgement, MetricVerdict, Verdict
from pipeline.observed import HostFault
from pipeline.release.facts import Facts
from pipeline.words import some


def put_right(facts: Facts, look: Look, said: Judgement) -> Judgement:
    """`said` of `look`, with the reason for data that are missing where one is known."""
    absent = [name for name in facts.targets.step if name not in look.hosts]
    why = _why(facts, look, absent) if absent else ""
    if not why:
        return said
    titles = {rule.key: rule.title for rule in facts.service.rules.judge.metrics}
    return replace(
        said,
        why=why if said.verdict is Verdict.NO_DATA and said.missing else said.why,
        metrics=tuple(_metric(metric, titles.get(metric.key, metric.key), why) for metric in said.metrics),
        # The one alert that is not about one host, which begins with its name.
        alerts=tuple(_alert(alert, why) for alert in said.alerts),
    )


def _metric(metric: MetricVerdict, title: str, why: str) -> MetricVerdict:
    missing = metric.verdict is Verdict.NO_DATA and metric.missing
    return replace(metric, why=f"{title}: {why}") if missing else metric


def _alert(alert: str, why: str) -> str:
    told, ends, _ = alert.partition(": look at those hosts")
    return f"{told}: {why}" if ends else alert


def _why(facts: Facts, look: Look, absent: list[str]) -> str:
    """The host that does not say what it runs, or the metrics that cannot be read: whatever most of them lack."""
    seen, faults = facts.telemetry.seen, facts.telemetry.faults
    mute = [name for name in absent if isinstance(seen.get(name), HostFault)]
    if 2 * len(mute) >= len(absent):
        return f"no answer from {some(mute)}: {_fault(facts, mute[0])}"
    others = [host.name for host in facts.service.production if host.name not in facts.targets.step]
    lacking = [name for name in others if name not in look.hosts and name in faults]
    if others and 2 * len(lacking) >= len(others):
        # Most of production is without them too: it is not the release.
        return f"no metrics: {lacking[0]}: {faults[lacking[0]]}"
    unread = [name for name in absent if name in faults]
    return f"no metrics: {unread[0]}: {faults[unread[0]]}" if 2 * len(unread) >= len(absent) else ""


def _fault(facts: Facts, name: str) -> str:
    now = facts.telemetry.seen.get(name)
    return now.why if isinstance(now, HostFault) else ""
