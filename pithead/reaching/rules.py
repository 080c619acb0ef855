"""The rules for staging, canary and observation, asked about hosts as they are found and names as they resolve."""

from collections.abc import Mapping

from adapters.config.policy import Policy
from adapters.names.system import SystemResolver
from adapters.names.watch import WatchedNames
from pipeline.model import Service
from pipeline.ports import Clock
from pipeline.staging import Level
from pithead.reaching.reached import Kind, Reached, Wrong, told


async def judged(policy: Policy, services: Mapping[str, Service], clock: Clock) -> Mapping[str, Service]:
    names = WatchedNames(SystemResolver(), clock)
    names.want(policy.names(services))
    await names.once()
    return policy.judged(services, names.known)


def rules(service: Service, configured: Service) -> list[Reached]:
    """A line for what holds releases and is not seen in the file alone; `pithead check` tells the rest."""
    known = {(each.rule, each.why) for each in configured.findings}
    new = [each for each in service.findings if (each.rule, each.why) not in known]
    closed = [each for each in new if each.level is not Level.WARNING]
    wrong = [Wrong(f"{each.rule} ({each.where}): {each.why}", each.mend) for each in closed]
    return told(Kind.RULE, service.name, "isolation", wrong, "") if wrong else []
