"""How a service is reached, changed, checked and heard: what the adapters are put together from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from adapters.alerts.access import Access
from adapters.alerts.alert import AlertLabels
from adapters.discovery.labels import DEFAULT_NAMES, LabelNames
from adapters.health.checks import HealthRule
from adapters.hosts.ssh.logs import Source
from adapters.hosts.ssh.recipes import Way
from adapters.metrics.prometheus.queries import Labels, OwnQuery
from adapters.metrics.prometheus.settings import ServerSettings
from adapters.metrics.source import Matcher


@dataclass(frozen=True, slots=True)
class SeatRule:
    """Where a service's hosts sit behind their balancers."""

    sockets: tuple[str, ...]
    """Of each HAProxy process: `/path/to.sock`, or `host:port`."""
    backend: str
    server: str = "{host}"
    """{host} is filled in."""
    drain_s: float = 30.0
    timeout_s: float = 2.0
    staging: bool = False
    """Whether staging hosts sit there too."""


@dataclass(frozen=True, slots=True)
class Means:
    """Of one service. The default is the agent on every host, whose own word on its health counts."""

    way: Way | None = None
    """By ssh; None is the agent's protocol over HTTP."""
    health: HealthRule | None = None
    seat: SeatRule | None = None
    log: Source | None = None


@dataclass(frozen=True, slots=True)
class PrometheusSettings:
    server: ServerSettings
    labels: Labels = field(default_factory=Labels)
    host_is: str = "address"
    """What the host's label holds: "address" or "name"."""
    scrape_s: float = 15.0
    """From one scrape to the next: there is nothing new to judge in between."""
    every_s: float = 15.0
    """From one look at the whole fleet to the next; hosts in focus are asked for at every look."""
    stale_s: float = 60.0
    pace_s: float = 0.05
    recorded: bool = False
    """The server has the rules of `pithead metrics rules`: their sums are read."""
    queries: tuple[OwnQuery, ...] = ()
    """Signals in PromQL of the company's own."""

    @property
    def oldest_s(self) -> float:
        """How old the newest reading of a host may be with everything well."""
        return self.every_s + self.scrape_s


@dataclass(frozen=True, slots=True)
class DiscoverySettings:
    """One source of hosts: exactly one of file, command and prometheus."""

    name: str
    file: Path | None = None
    command: tuple[str, ...] = ()
    prometheus: bool = False
    every_s: float = 60.0
    deadline_s: float = 20.0
    names: LabelNames = DEFAULT_NAMES
    matchers: tuple[Matcher, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertSettings:
    url: str
    access: Access = field(default_factory=Access)
    labels: AlertLabels = field(default_factory=AlertLabels)
    matchers: tuple[Matcher, ...] = ()
    every_s: float = 15.0
    timeout_s: float = 5.0


MeansOf = Mapping[str, Means]
"""By service."""
