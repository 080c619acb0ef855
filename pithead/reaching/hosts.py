"""Each host, seen once: who answers there, what runs, and whether it is well."""

from dataclasses import dataclass

from adapters.health.checks import HealthRule, HttpCheck, InnerCheck, TcpCheck, lack
from adapters.hosts.http import HttpHosts
from adapters.hosts.ssh.recipes import ReleaseDir, Way
from adapters.means import Means
from adapters.wire import Wire
from pipeline.model import Host
from pipeline.observed import HostFault
from pithead.reaching.reached import Kind, Reached, Wrong, told
from pithead.reaching.recipes import Look


@dataclass(frozen=True, slots=True)
class Seen:
    """One host of a service."""

    service: str
    host: Host
    look: Look
    reached: tuple[Reached, ...]


async def by_agent(agents: HttpHosts, host: Host, timeout_s: float) -> Look:
    state = (await agents.states([host], timeout_s))[host.name]
    if isinstance(state, HostFault):
        return Look(wrong=(Wrong(f"no agent: {state.why}", _mend(state.why)),), reached=False)
    busy = bool(state.operation) and state.result is None
    wrong: list[Wrong] = []
    if not state.revision and not busy:
        wrong.append(Wrong("nothing runs there", "see the service's log on the host, or deploy to it"))
    elif not state.healthy and not busy:
        said = state.detail or "it does not say why"
        wrong.append(Wrong(f"not healthy: {said}", "see the service's log on the host"))
    return Look(state.revision, tuple(wrong), busy)


async def seen(service: str, host: Host, look: Look, means: Means, wire: Wire, timeout_s: float) -> Seen:
    """What was seen, with the health check of the configuration on top of it."""
    wrong = list(look.wrong)
    rule = means.health
    # An agent is asked at the same address: one line is enough. A host in mid-deploy may well not pass.
    asked = look.reached or means.way is not None
    if rule is not None and asked and not look.busy:
        wrong += await _health(rule, host, wire, timeout_s)
    if look.reached and not look.revision and not look.busy and means.way is not None:
        wrong.append(Wrong("no revision runs there", _first(service, host, means.way)))
    by = "agent" if means.way is None else "ssh"
    well = f"by {by}, runs {look.revision or 'nothing'}{', a deploy is under way' if look.busy else ''}"
    return Seen(service, host, look, tuple(told(Kind.HOST, service, host.name, wrong, well)))


async def _health(rule: HealthRule, host: Host, wire: Wire, timeout_s: float) -> list[Wrong]:
    if isinstance(rule.check, InnerCheck):
        return []
    why = await lack(rule.check, host, wire, timeout_s)
    if not why:
        return []
    where = {HttpCheck: "health.path, status and contains", TcpCheck: "the host's address"}[type(rule.check)]
    return [Wrong(f"health check: {why}", f"see whether the service serves at {host.address}, or correct {where}")]


def _first(service: str, host: Host, way: Way) -> str:
    correct = f"or correct service.{service}.reach"
    if not isinstance(way.recipe, ReleaseDir):
        return f"deploy one, {correct}"
    root = way.recipe.root.replace("{host}", host.name).rstrip("/")
    return f"put what runs into {root}/releases/REVISION and link {root}/current to it, or deploy one, {correct}"


def _mend(why: str) -> str:
    if "answers as" in why:
        return "give each host its own address"
    if "no answer" in why:
        return "see whether it is up and the way to it open, or raise controller.host_timeout"
    if "refused" in why:
        return 'start its agent, or correct its address, or say reach.by = "ssh"'
    return "see whether it is Pithead's agent that listens at its address"
