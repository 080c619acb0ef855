"""Where the metrics server is, and what it wants to see of us."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from adapters.secret import Secret

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Raises `ValueError` for an address that is none."""

    url: str
    """With the path before `/api/v1`, where there is one: "https://metrics.example/prometheus"."""
    ca_file: Path | None = None
    """Trusted in place of the system's authorities."""
    client_cert: Path | None = None
    client_key: Path | None = None
    bearer: Secret | None = None
    user: str = ""
    password: Secret | None = None
    """With `user`: basic authentication."""
    headers: Mapping[str, str] = field(default_factory=lambda: _NONE, repr=False)
    """More headers: a tenant's `X-Scope-OrgID`. Not shown, as some are secrets."""
    params: Mapping[str, str] = field(default_factory=lambda: _NONE)
    """Of every query: `{"dedup": "true", "partial_response": "false"}` for Thanos."""
    method: str = "POST"
    """"GET" for a gateway that lets nothing else pass."""
    trust_env: bool = False
    """Whether the environment's proxies are used."""
    connect_s: float = 1.0
    read_s: float = 5.0
    """The longest silence within an answer."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"expected http://HOST:PORT or https://HOST:PORT, got {self.url!r}")
        if parts.username is not None:
            raise ValueError("a user or password in the address would be shown: give them as user and password")
        if parts.query or parts.fragment:
            raise ValueError(f"expected an address without ? and #, got {self.url!r}: give these as params")
        if self.method not in ("GET", "POST"):
            raise ValueError(f"expected GET or POST, got {self.method!r}")

    @property
    def base(self) -> str:
        """The address without a slash at its end."""
        return self.url.rstrip("/")
