"""REL-3: the health endpoint is quick, is not the liveness endpoint, and a host that is unhealthy gets no traffic."""

from collections.abc import Callable, Mapping

from pipeline.readiness.facts import Found, Subject, fails, passes, unknown
from pipeline.readiness.seen import OLD, Asked
from pipeline.words import some

HEALTH_S = 1.0
NO_SUCH_PAGE = frozenset({404, 405, 410, 501})


def same(one: str, other: str) -> bool:
    """Whether two paths ask the same: a slash more, and what stands behind "#", make no other endpoint."""
    return _endpoint(one) == _endpoint(other)


def _endpoint(path: str) -> tuple[str, str]:
    asked, _, question = path.partition("#")[0].partition("?")
    return "/".join(filter(None, asked.split("/"))), question


def health(of: Subject) -> Found:
    stated = of.service.rules.readiness
    missing = [key for key in ("health_path", "liveness_path") if not getattr(stated, key)]
    if missing:
        return fails(f"not stated: {' and '.join(missing)}")
    if same(stated.health_path, stated.liveness_path):
        return fails(f"health and liveness are the same endpoint, {stated.health_path}")
    production = [host.name for host in of.service.production]
    found = of.facts.seen.health
    asked = {name: found[name] for name in production if name in found and of.now - found[name].at <= OLD}
    wrong = _wrong(asked, stated.health_path, stated.liveness_path)
    if not wrong and (waits := [name for name in production if name not in asked]):
        return unknown(f"{stated.health_path} has not been asked lately on {some(waits)}")
    return fails(wrong) if wrong else _judged(asked, stated.health_path, len(production))


def _wrong(asked: Mapping[str, Asked], path: str, liveness: str) -> str:
    """What was seen that must not be."""
    for name, one in asked.items():
        if one.stays and one.seating is not None:
            told = f"HTTP {one.status}" if one.status is not None else one.why
            return f"{name} is unhealthy ({path}: {told}), and still gets requests as {one.seating.name}"
    if gone := _which(asked, lambda one: one.status in NO_SUCH_PAGE):
        return f"there is no {path} (HTTP {asked[gone[0]].status}) on {some(gone)}"
    if slow := _which(asked, lambda one: one.status is not None and one.took_s > HEALTH_S):
        return f"{path} took {asked[slow[0]].took_s:.1f} s on {some(slow)}, expected {HEALTH_S:.0f} s at most"
    if dead := _which(asked, lambda one: one.healthy and bool(one.alive)):
        return f"{liveness} says {asked[dead[0]].alive} on {some(dead)}, which is healthy"
    return ""


def _judged(asked: Mapping[str, Asked], path: str, hosts: int) -> Found:
    if not asked:
        return unknown("no production host is known")
    well = [one for one in asked.values() if one.healthy]
    if not well:
        name, one = next(iter(asked.items()))
        told = f"HTTP {one.status}" if one.status is not None else one.why
        return unknown(f"no host is healthy by {path} ({name}: {told}, {one.at:%Y-%m-%d %H:%M} UTC)")
    slowest = max(one.took_s for one in well)
    said = f"{path} answers on {len(well)} of {hosts} hosts within {slowest * 1000:.0f} ms"
    if any(one.seating is None for one in asked.values()):
        return unknown(f"{said}; no balancer is configured that tells whether an unhealthy host gets no traffic")
    if faults := [one.seating.fault for one in asked.values() if one.seating is not None and one.seating.fault]:
        return unknown(f"{said}; {faults[0]}")
    if bare := _which(asked, lambda one: one.seating is not None and not one.seating.checked):
        return unknown(f"{said}; its balancer says of no check of {some(bare)} that would take an unhealthy one out")
    return passes(f"{said}; its balancer takes out what is unhealthy")


def _which(asked: Mapping[str, Asked], wanted: Callable[[Asked], bool]) -> list[str]:
    return [name for name, one in asked.items() if wanted(one)]
