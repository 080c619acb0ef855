"""The judge's part of the history: trials taken up again after a restart, and read by whoever asks."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pipeline.commands import Refused
from pipeline.judge.evidence import Evidence
from pipeline.judge.look import Recorded
from pipeline.judge.trial import Judge, TrialRecord
from pipeline.model import BudgetRules
from pipeline.ports import History
from pipeline.release.looking import JUDGED
from pipeline.release.trials import trial_of
from pipeline.service.station import Station
from pipeline.text import plain

PAGE = 500
LATELY = timedelta(hours=1)
LONG = timedelta(days=1)
FEW_ERRORS_AN_HOUR = 100.0
"""Of a host: with fewer, a day of history is looked at to know its habits; with more, an hour says it."""
MOST_STRETCHES = 1_500


def past(history: History, station: Station, now: datetime) -> tuple[Recorded, ...]:
    """What is recorded of the service's hosts lately: an hour, or a day where errors are few."""
    name = station.service.name
    hour = history.recorded(name, now - LATELY, MOST_STRETCHES)
    if not hour or _errors_an_hour(hour, station.service.rules.budget) >= FEW_ERRORS_AN_HOUR:
        return hour
    return history.recorded(name, now - LONG, MOST_STRETCHES)


def _errors_an_hour(stretches: Sequence[Recorded], rules: BudgetRules) -> float:
    """By host."""
    errors = seconds = 0.0
    for one in stretches:
        for host in one.look.hosts.values():
            errors += host.sample.counters.get(rules.bad, 0.0)
            seconds += host.sample.host_s
    return 3_600 * errors / seconds if seconds > 0 else 0.0


def resumed(history: History, station: Station, judge: Judge[Evidence], tick_s: float) -> Evidence | None:
    """The evidence as the last controller had it; None where it has to begin anew: other settings, or other hosts."""
    rollout = station.rollout
    if rollout is None or rollout.phase not in JUDGED:
        return None
    record = history.trial(rollout.id, rollout.wave)
    if record is None or record.trial != trial_of(station.service, rollout, tick_s):
        return None
    evidence: Evidence | None = judge.begin(record.trial, record.prior)
    kept = history.kept(rollout.id, rollout.wave)
    if kept is not None:
        evidence = judge.unpack(record.trial, record.prior, kept)
    after = kept.looks if kept is not None else 0
    while evidence is not None:
        looks = history.looks(rollout.id, rollout.wave, after, PAGE)
        for one in looks:
            evidence, _ = judge.look(evidence, one.look)
            after = one.number
        if len(looks) < PAGE:
            break
    return evidence


def trial(history: History, station: Station, release: str, wave: int) -> TrialRecord:
    """Raises `Refused` where the service has no such trial."""
    service = station.service.name
    newest = station.rollout
    if not release and newest is not None:
        release = newest.id
    found = history.trial(release, wave) if release.rpartition("-")[0] == service else None
    if found is None:
        name = plain(release, 60) or service
        what = "has no release yet" if not release else f"has no recorded {'canary' if not wave else f'wave {wave}'}"
        raise Refused(f"judge {name}", what, f"see pithead history {service}")
    return found
