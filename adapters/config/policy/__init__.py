"""What makes a release safe by its configuration: rules for staging, canary and observation, and what breaks them.

Unlike an error, a finding keeps nobody from starting: a gate holds the service that it is about
(`pipeline.policy.isolation`), and `pithead check` tells it.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from adapters.config.errors import Spot
from adapters.config.policy import canary, full, observation, partial, staging
from adapters.config.policy.case import Case, Company, Rule, production_of
from adapters.config.schema import Values
from adapters.means import Means, MeansOf
from pipeline.model import Fleet, Service
from pipeline.staging import Finding, Level
from pipeline.text import plain

RULES: tuple[Rule, ...] = (*staging.RULES, *full.RULES, *partial.RULES, *canary.RULES, *observation.RULES)
"""All of them, in the order in which they are told."""


def with_findings(fleet: Fleet, means: MeansOf, said: Values, root: Spot) -> Fleet:
    """`fleet`, each service with what the rules find in its configuration."""
    company = Company(fleet.services, production_of(fleet.services), said, root, fleet.apart_s)
    services: Mapping[str, Service] = {
        name: replace(service, findings=_findings(Case(service, means.get(name, Means()), company)))
        for name, service in fleet.services.items()
    }
    return replace(fleet, services=MappingProxyType(services))


def _findings(case: Case) -> tuple[Finding, ...]:
    """Errors first: they hold, and are to be mended first."""
    file = Path(case.company.root.problems.file).name
    found = (
        Finding(
            rule.id, found.level or rule.level, plain(found.why), plain(found.mend), plain(f"{file}:{found.at.line}")
        )
        for rule in RULES
        if rule.find is not None
        for found in rule.find(case)
    )
    return tuple(sorted(found, key=lambda each: each.level is not Level.ERROR))
