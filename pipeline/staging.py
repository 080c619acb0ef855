"""How a service's staging stands to production: its mode, what it depends on, and what undoes a build there."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class StagingMode(StrEnum):
    FULL = "full"
    """A complete copy that talks to staging copies only."""
    PARTIAL = "partial"
    """The staging build talks to production's dependencies, under protection."""


class Access(StrEnum):
    """What staging may do with a data store or queue."""

    NONE = "none"
    READ = "read"
    TENANT = "test-tenant"
    """Writes carry a test tenant."""
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Dependency:
    """Something that the service calls: another service here, or one outside."""

    name: str
    staging: str = ""
    """`host:port` that the staging build calls."""
    production: str = ""
    """`host:port` that production calls."""
    store: bool = False
    """A database or a queue."""
    access: Access = Access.READ
    consumes: bool = False
    """Staging takes messages from it."""
    hard: bool = True
    """The service cannot do without it."""
    fallback: str = ""
    """What it does instead: "cache", "empty list"."""
    target: Decimal | None = None
    """Its availability objective, a ratio."""
    timeout_s: float | None = None
    retries: int | None = None
    breaker: bool = False
    """Calls are cut off while it is down."""


@dataclass(frozen=True, slots=True)
class StagingLimit:
    """A build in partial staging goes back by itself when a metric of the staging hosts is worse than this."""

    metric: str
    """Key of a metric."""
    limit: float
    window_s: float = 60.0
    min_samples: int = 20
    """Requests in the window before it counts."""


@dataclass(frozen=True, slots=True)
class StagingRules:
    mode: StagingMode = StagingMode.FULL
    related: tuple[str, ...] = ()
    """Services that share this staging: one of them at a time is deployed to it."""
    dependencies: tuple[Dependency, ...] = ()
    methods: tuple[str, ...] = ("GET", "HEAD", "OPTIONS")
    """Partial: requests that staging may send to production's dependencies."""
    header: str = ""
    """Partial: name of the header that marks requests of staging."""
    rate_share: float | None = None
    """Partial: calls to production's dependencies, as a ratio of their traffic."""
    sink: str = ""
    """Partial: where mail, payments and other effects go instead."""
    ports: tuple[int, ...] = ()
    production_ports: tuple[int, ...] = ()
    limits: tuple[StagingLimit, ...] = ()
    capacity: float | None = None
    """Of production's, as a ratio."""
    image: str = ""
    production_image: str = ""
    """Operating system and runtime, as named by the organisation; compared with each other."""
    keys: tuple[str, ...] = ()
    production_keys: tuple[str, ...] = ()
    """Names of the build's own configuration keys."""


class Level(StrEnum):
    ERROR = "error"
    """Releases are held until it is mended."""
    UNKNOWN = "unknown"
    """Nobody can tell: releases are held until somebody can."""
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a lint rule found in the configuration of a service, or in the hosts that were found for it."""

    rule: str
    """"FUL-01"."""
    level: Level
    why: str
    mend: str
    where: str = ""
    """"config.toml:12"."""
    since: datetime | None = None
    """Of what is unknown: since when, where that is known."""
