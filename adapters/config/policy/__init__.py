"""What makes a release safe by its configuration: rules for staging, canary and observation, and what breaks them.

Unlike an error, a finding keeps nobody from starting: a gate holds the service that it is about
(`pipeline.policy.isolation`), and `pithead check` tells it. The rules are asked when the file is read, and again
whenever hosts are found or a name resolves to something else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from adapters.config.endpoints import endpoint, is_ip
from adapters.config.errors import Spot
from adapters.config.policy import canary, full, observation, partial, staging
from adapters.config.policy.case import Case, Company, Names, Rule, production_of
from adapters.config.schema import Values
from adapters.means import Means, MeansOf
from adapters.names.lookup import Lookups
from pipeline.model import Service
from pipeline.staging import Finding, Level
from pipeline.text import plain

RULES: tuple[Rule, ...] = (*staging.RULES, *full.RULES, *partial.RULES, *canary.RULES, *observation.RULES)
"""All of them, in the order in which they are told."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules over one file."""

    means: MeansOf
    said: Values
    root: Spot
    apart_s: float
    day_s: float

    def judged(
        self, services: Mapping[str, Service], lookups: Lookups | None = None, *, complete: bool = True
    ) -> Mapping[str, Service]:
        """`services`, each with what the rules find; one of which the same is found stays the same object.

        Args:
            services: with the hosts that they have now.
            lookups: of `names`; None is that names are compared as they are written.
            complete: whether every source of hosts has answered once: before, production is not known whole.
        """
        names = Names(lookups)
        company = Company(
            services, production_of(services, names), self.said, self.root, self.apart_s, self.day_s, names, complete
        )
        found = {name: _findings(Case(its, self.means.get(name, Means()), company)) for name, its in services.items()}
        return MappingProxyType(
            {
                name: its if its.findings == found[name] else replace(its, findings=found[name])
                for name, its in services.items()
            }
        )

    def names(self, services: Mapping[str, Service]) -> frozenset[str]:
        """Names, and no addresses, that the rules would like to know the addresses of."""
        hosts = (host.address for its in services.values() for host in its.hosts)
        called = (
            address
            for its in services.values()
            for each in its.rules.staging.dependencies
            for address in (each.staging, each.production)
            if address
        )
        machines = {endpoint(address).machine for address in (*called, *hosts)}
        return frozenset(machine for machine in machines if machine and not is_ip(machine))


def _findings(case: Case) -> tuple[Finding, ...]:
    """Errors first, then what is unknown: they hold, and are to be mended first."""
    file = Path(case.company.root.problems.file).name
    found = (
        Finding(
            rule.id,
            found.level or rule.level,
            plain(found.why),
            plain(found.mend),
            plain(f"{file}:{found.at.line}"),
            found.since,
        )
        for rule in RULES
        if rule.find is not None
        for found in rule.find(case)
    )
    return tuple(sorted(found, key=lambda each: list(Level).index(each.level)))
