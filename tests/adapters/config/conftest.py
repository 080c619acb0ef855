from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.config import ConfigErrors, Settings, load

SMALL = """\
[datacenter.fra1]
region = "eu"
[datacenter.iad1]
region = "us"
[signals]
requests = { kind = "counter", series = "http_requests_total" }
errors = { kind = "counter", series = 'http_requests_total{code=~"5.."}' }
latency = { kind = "histogram", series = "http_request_duration_seconds" }
memory = { kind = "gauge", series = "process_resident_memory_bytes" }
[organisation.metrics]
errors = { kind = "ratio", bad = "errors", total = "requests", tolerance = "0.5%" }
p99 = { kind = "quantile", of = "latency" }
[organisation.checks]
healthz = { path = "/healthz" }
[service.cart]
revision = "r511"
hosts = [
  { pool = "staging", datacenter = "fra1", name = "cart-stg-1", address = "10.0.0.1:80" },
  { datacenter = "fra1", name = "cart-fra1-[1-4]", address = "10.0.1.[1-4]:80" },
  { datacenter = "iad1", name = "cart-iad1-[1-4]", address = "10.0.2.[1-4]:80" },
]
"""
"""A whole configuration of one service; a test appends to it, from line 22 on, or replaces in it. Its staging has no
mode: a test that asks for findings says one."""


@pytest.fixture
def small() -> str:
    return SMALL


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str | bytes], Settings]:
    """Loads a text as a file."""

    def read(text: str | bytes) -> Settings:
        path = tmp_path / "config.toml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(0o600)
        return load(path)

    return read


@pytest.fixture
def errors(read: Callable[[str | bytes], Settings], tmp_path: Path) -> Callable[[str | bytes], list[str]]:
    """What is told of a text, with the file named as one would see it beside it."""

    def errors(text: str | bytes) -> list[str]:
        with pytest.raises(ConfigErrors) as raised:
            read(text)
        return [str(error).replace(f"{tmp_path}/", "") for error in raised.value.errors]

    return errors
