"""What of a recording is sent, and how fast; or why nothing of it may be."""

from dataclasses import dataclass
from pathlib import PurePath

from adapters.checks.replay.paths import Ignored, PathError
from adapters.checks.replay.reading import read
from adapters.checks.replay.recording import SERVICE_HEADER, Exchange, Headers, Recording, RecordingError
from adapters.checks.replay.secrets import clean, credentials
from adapters.wire import OURS
from pipeline.checks import Against, CheckRule, ReplayRule
from pipeline.model import Service
from pipeline.staging import StagingMode
from pipeline.text import plain

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""All that production is ever asked by a replay."""
_OVERRIDES = frozenset({"x-http-method-override", "x-http-method", "x-method-override"})
"""Headers by which a GET does what another method does."""
_LEFT_OUT = OURS | _OVERRIDES | {SERVICE_HEADER, "forwarded", "via", "x-real-ip", "proxy-authenticate"}
FILLED = 0.8
"""Of the deadline: the rest is for the last answers."""
ENOUGH, PART = 20, 0.1
"""So many requests, or such a part of all where that is fewer, must go out under a cap: less says nothing."""


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


def lint(rule: ReplayRule, service: Service) -> tuple[str, ...]:
    """Why the check would refuse its recording, one line each; () if it would not. It blocks: it reads the file."""
    try:
        recording = read(rule.recording)
    except RecordingError as error:
        return (str(error),)
    return _named(rule, refusals(rule, service, recording))


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
    if rps < rule.rps:
        if len(fitting) < min(ENOUGH, PART * len(usable)):
            raise Refused(_too_few(len(fitting), len(usable), check.deadline_s, rps))
        notes.append(f"sent at {per_second(rps)}/s, the most that partial staging may")
    elif _capped(service) and production_rps is None:
        notes.append("its rate is not capped, as production's traffic is not known")
    if wrote := len(recording.exchanges) - len(sendable):
        notes.append(f"{wrote:,} not sent as they may write")
    if unanswered := len(sendable) - len(usable):
        notes.append(f"{unanswered:,} not sent as no answer was recorded")
    if late := len(usable) - len(fitting):
        notes.append(f"{late:,} not sent as {check.deadline_s:g} s at {per_second(rps)}/s have no room for them")
    return Plan(tuple(_ready(one, service) for one in fitting), Ignored.of(rule.ignore), rps, tuple(notes))


def _too_few(fitting: int, usable: int, deadline_s: float, rps: float) -> str:
    return (
        f"{fitting:,} of {usable:,} requests had room in {deadline_s:g} s at {per_second(rps)}/s, "
        "the most that partial staging may: too few to say anything: raise deadline or rate_share"
    )


def per_second(rps: float) -> str:
    """With three digits that count: "0.07", "12.5", "1,230"."""
    return f"{float(f'{rps:.3g}'):,.10g}"


def refusals(rule: ReplayRule, service: Service, recording: Recording) -> tuple[str, ...]:
    """What is wrong with replaying it, of everything that can be."""
    why = []
    if recording.service and recording.service != service.name:
        why.append(f"recorded from {plain(recording.service, 60)}, not from {service.name}: record {service.name}")
    elif other := _dependency(recording.host, service):
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
    if rule.against is Against.PRODUCTION and not service.production:
        why.append("there is no production host to hold the answers against")
    if service.rules.staging.mode is StagingMode.PARTIAL and not service.rules.staging.header:
        why.append("partial staging has no header that marks its requests: set staging.header")
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
    share = service.rules.staging.rate_share
    if share is None or production_rps is None or not _capped(service):
        return rule.rps
    allowed = share * production_rps
    if not allowed > 0:
        raise Refused(f"{share:.3g} of production's traffic may be sent, and it has none now: waits for some")
    return min(rule.rps, allowed)


def _capped(service: Service) -> bool:
    its = service.rules.staging
    return its.mode is StagingMode.PARTIAL and its.rate_share is not None


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
    hidden = any(name in _OVERRIDES for name, _ in exchange.headers) or "_method=" in exchange.path.lower()
    return exchange.method not in methods or hidden


def _dependency(host: str, service: Service) -> str:
    """The dependency that answers at `host`, if it is one's; "" otherwise."""
    for one in service.rules.staging.dependencies:
        theirs = {at.removesuffix(usual) for at in (one.staging, one.production) for usual in ("", ":80", ":443")}
        if host and one.name != service.name and host in theirs:
            return one.name
    return ""


def _ready(exchange: Exchange, service: Service) -> Exchange:
    cleaned = clean(exchange)
    kept = [(name, value) for name, value in cleaned.headers if _may_be_sent(name, cleaned.headers)]
    marker = service.rules.staging.header
    if marker:
        kept = [(name, value) for name, value in kept if name != marker.lower()]
        kept.append((marker.lower(), service.name))
    return Exchange(cleaned.where, cleaned.method, cleaned.path, tuple(kept), cleaned.body, cleaned.answer)


def _may_be_sent(name: str, headers: Headers) -> bool:
    """Not what belongs to one hop of the recorded way, nor where the request came from."""
    hops = {token.strip().lower() for key, value in headers if key == "connection" for token in value.split(",")}
    return not (name in _LEFT_OUT or name in hops or name.startswith(("x-forwarded-", "sec-websocket-")))
