"""What a service states of itself for its readiness; from the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field

SECTIONS = ("description", "architecture", "endpoints", "dependencies", "contacts", "faq", "runbook")
"""Of a service's documentation."""

SUITES = ("lint", "unit", "integration", "end-to-end")


@dataclass(frozen=True, slots=True)
class ReadinessRules:
    rows: frozenset[str] | None = None
    """Ids of the rows that count; None is all."""
    repository: str = ""
    owner: str = ""
    """A team."""
    clients: tuple[str, ...] = ()
    """Who may call it."""
    client_label: str = ""
    """Of the request counter: it names who calls."""
    health_path: str = ""
    liveness_path: str = ""
    growth: str = ""
    """What its load grows with: "requests per order"."""
    host_rps: float | None = None
    """What one host can take."""
    cpu_limit: float | None = None
    """Cores a host."""
    memory_limit_bytes: float | None = None
    suites: tuple[str, ...] = SUITES
    """What CI must have passed of a build."""
    runbook: str = ""
    """A link, as each of `dashboards` and `docs`: of HTTP or HTTPS, or the path of a file."""
    dashboards: tuple[str, ...] = ()
    oncall: tuple[str, ...] = ()
    """Who is on call for the next 14 days."""
    docs: Mapping[str, str] = field(default_factory=dict)
    """By section (`SECTIONS`): where it is."""
    load_test_days: int = 90
    """How long a load test and a rollback count as proven."""
    peak_share: float = 0.7
    """The peak of the last 30 days may be so much of the tested capacity."""
