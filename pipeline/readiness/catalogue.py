"""The rows of the checklist: what each asks, how it is measured, how long a person's word for it lasts.

Source: the production-readiness areas of Susan Fowler's checklist (stability, reliability, scale, performance, fault
tolerance, catastrophes, monitoring, documentation), in our words.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pipeline.readiness import build, callers, capacity, faults, health, links, stability, watching
from pipeline.readiness.facts import Found, Subject


@dataclass(frozen=True, slots=True)
class Item:
    id: str
    title: str
    measured: Callable[[Subject], Found] | None = None
    """None: only a person can say."""
    vouched: bool = False
    """A person's word is needed even where what is measured passes."""
    days: int = 90
    """How long a person's word lasts."""
    per_build: bool = False
    """A person's word is about one build."""


_ITEMS = (
    Item("STB-1", "one repository and one owning team", stability.ownership),
    Item("STB-2", "the build passed its tests, for this very artifact", build.tested, per_build=True),
    Item("STB-3", "staging, canary and production, none skipped", stability.stages),
    Item("STB-4", "retired versions and endpoints get no traffic", days=180),
    Item("REL-1", "clients are known, and nobody else calls", callers.clients, vouched=True),
    Item("REL-2", "each dependency has an objective and a fallback", stability.dependencies),
    Item("REL-3", "the health check is quick and its own", health.health),
    Item("REL-4", "the way back was gone lately", stability.exercised),
    Item("SCA-1", "what load grows with, and what a host takes", capacity.growth, days=180),
    Item("SCA-2", "the peak is well below what was tested", capacity.headroom),
    Item("SCA-3", "critical dependencies can take our forecast", days=180),
    Item("PRF-1", "a latency objective that is measured", capacity.latency),
    Item("PRF-2", "CPU and memory limits, sensibly used", capacity.limits),
    Item("FLT-1", "hosts in two datacenters or more", faults.spread),
    Item("FLT-2", "timeouts, retries and breakers declared", faults.guarded),
    Item("FLT-3", "failure scenarios are listed and tested", days=180),
    Item("CAT-1", "load-tested above its peak", capacity.load_tested),
    Item("CAT-2", "loss of a datacenter and of dependencies exercised", days=180),
    Item("CAT-3", "restore from backup proven", days=180),
    Item("CAT-4", "incident roles, severities and approvers", faults.severities, vouched=True),
    Item("MON-1", "key metrics in staging, canary and production", watching.metrics),
    Item("MON-2", "every alert has owner, runbook and severity", links.runbook, vouched=True),
    Item("MON-3", "two people on call for 14 days", watching.oncall, days=14),
    Item("MON-4", "objective, quota and burn alarms, well covered", watching.objective),
    Item("DOC-1", "documented, all sections", links.documents),
    Item("DOC-2", "review held, its actions closed", days=365),
)

ITEMS: Mapping[str, Item] = MappingProxyType({item.id: item for item in _ITEMS})
"""By id, in the order in which they are shown."""
PER_BUILD = frozenset(item.id for item in _ITEMS if item.per_build)
