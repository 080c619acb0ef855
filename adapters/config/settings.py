"""A configuration, whole and checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from adapters.config.errors import ConfigError
from adapters.config.policy import Policy
from adapters.hosts.ssh.client import SshSettings
from adapters.means import AlertSettings, DiscoverySettings, MeansOf, PrometheusSettings
from adapters.metrics.source import SignalSource
from pipeline.model import Fleet, Host

DEMO_NETWORK = "127.77."


@dataclass(frozen=True, slots=True)
class UiSettings:
    """How the screens are drawn; the command line goes before it."""

    ascii: bool | None = None
    """None is what the terminal can do."""
    color: str = "auto"
    """auto, truecolor, 256, 16 or never."""
    timezone: str = "UTC"
    """Of the times shown beside UTC; a name that `zoneinfo` knows."""


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """What the company of `pithead demo` is like."""

    day_s: float = 40.0
    """A day of its traffic."""
    peak_rps: float = 60.0
    """Requests a second of each service at the busiest hour."""
    restart_s: float = 1.5
    """How long a host is away for a deploy, about."""
    seed: int = 1
    """Of its traffic and its hosts' small differences."""


@dataclass(frozen=True, slots=True)
class Settings:
    path: Path
    """Where it was read from."""
    fleet: Fleet
    signals: tuple[SignalSource, ...]
    state_dir: Path | None = None
    """Holds the history; None is XDG_STATE_HOME/pithead."""
    run_dir: Path | None = None
    """Holds the sockets; None is XDG_RUNTIME_DIR/pithead."""
    start_controller: bool = True
    """Whether the control room starts a controller where none answers."""
    read_only: bool = False
    """Whether screens and verbs started with this file only look."""
    readiness_every_s: float = 3_600.0
    """From one look at what readiness lists state (links, health endpoints, callers) to the next."""
    group: str | None = None
    """The unix group that may use the sockets; None is their owner alone."""
    means: MeansOf = field(default_factory=lambda: MappingProxyType({}))
    """How each service is reached, checked and heard."""
    ssh: SshSettings = field(default_factory=SshSettings)
    prometheus: PrometheusSettings | None = None
    """None: the hosts' own metrics pages are read."""
    discovery: tuple[DiscoverySettings, ...] = ()
    datacenters: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    """Each with its region, country and provider."""
    alerts: AlertSettings | None = None
    ui: UiSettings = UiSettings()
    demo: DemoSettings | None = None
    policy: Policy | None = None
    """The rules for staging, canary and observation; None where no file was read."""
    warnings: tuple[ConfigError, ...] = ()
    """What is allowed but hardly meant."""


def shifted(settings: Settings, second_octet: int) -> Settings:
    """`settings` with its 127.77.x.y hosts on 127.`second_octet`.x.y, so that two demos run side by side."""
    if not 0 <= second_octet <= 255:
        raise ValueError(f"second_octet: expected 0 to 255, got {second_octet}")
    services = {
        name: replace(service, hosts=tuple(_moved(host, second_octet) for host in service.hosts))
        for name, service in settings.fleet.services.items()
    }
    return replace(settings, fleet=replace(settings.fleet, services=MappingProxyType(services)))


def _moved(host: Host, second_octet: int) -> Host:
    if not host.address.startswith(DEMO_NETWORK):
        return host
    return replace(host, address=f"127.{second_octet}.{host.address.removeprefix(DEMO_NETWORK)}")
