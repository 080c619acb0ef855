"""What of a recording is sent, and how fast; or why nothing of it may be."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from adapters.checks.replay.headers import OVERRIDES, header_fault, may_be_sent
from adapters.checks.replay.paths import Ignored, PathError
from adapters.checks.replay.reading import read
from adapters.checks.replay.recording import Exchange, Recording, RecordingError
from adapters.checks.replay.secrets import clean, credentials
from pipeline.checks import Against, CheckRule, ReplayRule
from pipeline.model import Service
from pipeline.staging import StagingMode
from pipeline.text import plain

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""All that production is ever asked by a replay."""
NO_OTHERS: Mapping[str, frozenset[str]] = {}
FILLED = 0.8
"""Of the deadline: the rest is for the last answers."""
ENOUGH, PART = 20, 0.1
"""So many requests, or such a part of all where that is fewer, must have room: less says nothing."""

_THE_MOST = "the most that partial staging may"


class Refused(Exception):
    """Nothing is sent; its text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    exchanges: tuple[Exchange, ...]
    """Without credentials and with headers that may be sent, in their order."""
    ignored: Ignored
    rps: float
    notes: tuple[str, ...] = ()
    """What is left out."""


def lint(rule: ReplayRule, service: Service, others: Mapping[str, frozenset[str]] = NO_OTHERS) -> tuple[str, ...]:
    """Why the check would refuse its recording, one line each; () if it would not. It blocks: it reads the file.

    `others` are the services of the fleet with the addresses of all their hosts: one of theirs is refused here.
    """
    try:
        recording = read(rule.recording)
    except RecordingError as error:
        return (str(error),)
    return _named(rule, refusals(rule, service, recording, others))


def planned(check: CheckRule, rule: ReplayRule, service: Service, production_rps: float | None) -> Plan:
    """Reads the recording and lays out what is sent; raises `Refused`. It blocks: call it in a thread."""
    try:
        recording = read(rule.recording, rule.most)
    except RecordingError as error:
        raise Refused(str(error)) from None
    if why := refusals(rule, service, recording):
        raise Refused("; ".join(_named(rule, why)))
    rps = rate(rule, service, production_rps)
    sendable = [one for one in recording.exchanges if not _writes(one, rule, service)]
    usable = [one for one in sendable if rule.against is not Against.RECORDING or one.answer is not None]
    fitting = usable[: 1 + int(FILLED * check.deadline_s * rps)]
    notes = []
    if len(fitting) < min(ENOUGH, PART * len(usable)):
        raise Refused(_too_few(len(fitting), len(usable), check.deadline_s, rps, capped=rps < rule.rps))
    if rps < rule.rps:
        notes.append(f"sent at {per_second(rps)}/s, {_THE_MOST}")
    if wrote := len(recording.exchanges) - len(sendable):
        notes.append(f"{wrote:,} not sent as they may write")
    if unanswered := len(sendable) - len(usable):
        notes.append(f"{unanswered:,} not sent as no answer was recorded")
    if late := len(usable) - len(fitting):
        notes.append(f"{late:,} not sent as {check.deadline_s:g} s at {per_second(rps)}/s have no room for them")
    return Plan(tuple(_ready(one, service) for one in fitting), Ignored.of(rule.ignore), rps, tuple(notes))


def _too_few(fitting: int, usable: int, deadline_s: float, rps: float, *, capped: bool) -> str:
    at, other = (f"{per_second(rps)}/s, {_THE_MOST}", "rate_share") if capped else (f"{per_second(rps)}/s", "rps")
    return (
        f"{fitting:,} of {usable:,} requests had room in {deadline_s:g} s at {at}: "
        f"too few to say anything: raise deadline or {other}"
    )


def per_second(rps: float) -> str:
    """With three digits that count: "0.07", "12.5", "1,230"."""
    return f"{float(f'{rps:.3g}'):,.10g}"


def refusals(
    rule: ReplayRule, service: Service, recording: Recording, others: Mapping[str, frozenset[str]] = NO_OTHERS
) -> tuple[str, ...]:
    """What is wrong with replaying it, of everything that can be."""
    why = []
    if recording.service and recording.service != service.name:
        why.append(f"recorded from {plain(recording.service, 60)}, not from {service.name}: record {service.name}")
    elif other := _owner(recording.host, service, others):
        why.append(f"recorded from {plain(other, 60)} at {plain(recording.host, 60)}: record {service.name}")
    if found := credentials(recording):
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        why.append(f"holds credentials ({found[0]}{more}): keep a scrubbed copy instead (docs/replay.md)")
    sendable = [one for one in recording.exchanges if not _writes(one, rule, service)]
    if not sendable:
        methods = ", ".join(sorted(_methods(rule, service) or ()))
        why.append(f"every request of it may write, and only {methods or 'none'} may be sent: record reads")
    elif rule.against is Against.RECORDING and not any(one.answer for one in sendable):
        why.append('holds no answers: record them, or say against = "production"')
    elif rule.slower is not None and rule.against is Against.RECORDING and not any(_timed(one) for one in sendable):
        why.append("slower is set, and the recording has no times to hold against: record them, or leave slower out")
    if rule.against is Against.PRODUCTION and not service.production:
        why.append("there is no production host to hold the answers against")
    if service.rules.staging.mode is StagingMode.PARTIAL and not service.rules.staging.header:
        why.append("partial staging has no header that marks its requests: set staging.header")
    if fault := header_fault(service.rules.staging.header):
        why.append(f'staging.header "{plain(service.rules.staging.header, 60)}" {fault}')
    if not rule.rps > 0 or rule.most < 1:
        why.append("rps and most: expected more than 0")
    try:
        Ignored.of(rule.ignore)
    except PathError as error:
        why.append(f"ignore: {error}")
    return tuple(why)


def _named(rule: ReplayRule, why: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{plain(PurePath(rule.recording).name, 100)}: {one}" for one in why)


def rate(rule: ReplayRule, service: Service, production_rps: float | None) -> float:
    """Requests a second; in partial staging no more than its share of production's. Raises `Refused`."""
    its = service.rules.staging
    share = its.rate_share
    if share is None or its.mode is not StagingMode.PARTIAL:
        return rule.rps
    if not share > 0:
        raise Refused("staging.rate_share is 0, so nothing may be sent: raise it, or do without this check")
    if production_rps is None:
        raise Refused("production's traffic is not known yet, and rate_share caps it: asked again")
    allowed = share * production_rps
    if not allowed > 0:
        raise Refused(f"{share:.3g} of production's traffic may be sent, and it has none now: waits for some")
    return min(rule.rps, allowed)


def _methods(rule: ReplayRule, service: Service) -> frozenset[str] | None:
    """What may be sent; None is anything."""
    partial = service.rules.staging.mode is StagingMode.PARTIAL
    allowed = frozenset(service.rules.staging.methods) if partial else None
    if rule.against is Against.PRODUCTION:
        return SAFE if allowed is None else SAFE & allowed
    return allowed


def _writes(exchange: Exchange, rule: ReplayRule, service: Service) -> bool:
    """Whether it may change something where nothing may be changed."""
    methods = _methods(rule, service)
    if methods is None:
        return False
    hidden = any(name in OVERRIDES for name, _ in exchange.headers) or "_method=" in exchange.path.lower()
    return exchange.method not in methods or hidden


def _timed(exchange: Exchange) -> bool:
    return exchange.answer is not None and exchange.answer.ms is not None


def _owner(host: str, service: Service, others: Mapping[str, frozenset[str]]) -> str:
    """Whose `host` is, if it is a dependency's or another service's and not the service's own; "" otherwise."""
    if not host or _is_one_of(host, (own.address for own in service.hosts)):
        return ""
    for one in service.rules.staging.dependencies:
        if one.name != service.name and _is_one_of(host, (one.staging, one.production)):
            return one.name
    return next((name for name, its in others.items() if name != service.name and _is_one_of(host, its)), "")


def _is_one_of(host: str, addresses: Iterable[str]) -> bool:
    """A recording leaves the usual port of its scheme out."""
    return any(host == at.lower().removesuffix(usual) for at in addresses for usual in ("", ":80", ":443"))


def _ready(exchange: Exchange, service: Service) -> Exchange:
    cleaned = clean(exchange)
    kept = [(name, value) for name, value in cleaned.headers if may_be_sent(name, cleaned.headers)]
    marker = service.rules.staging.header
    if marker:
        kept = [(name, value) for name, value in kept if name != marker.lower()]
        kept.append((marker.lower(), service.name))
    return Exchange(cleaned.where, cleaned.method, cleaned.path, tuple(kept), cleaned.body, cleaned.answer)
