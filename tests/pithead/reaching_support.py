"""Configurations of a small company, and what reaching it brings."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.config import load
from pithead.clock import SystemClock
from pithead.reaching.progress import Progress
from pithead.reaching.reached import Reached
from pithead.reaching.run import reach
from pithead.reaching.verb import lines, summary

HEAD = """\
[controller]
host_timeout = "500ms"
[datacenter.fra1]
region = "eu"
[signals]
requests = { kind = "counter", series = "http_requests_total" }
errors = { kind = "counter", series = 'http_requests_total{code=~"5.."}' }
latency = { kind = "histogram", series = "http_request_duration_seconds" }
[organisation.staging]
mode = "full"
[organisation.metrics]
errors = { kind = "ratio", bad = "errors", total = "requests", tolerance = "0.5%" }
p99 = { kind = "quantile", of = "latency" }
"""


def company(hosts: Mapping[str, str], more: str = "", service: str = "cart", ssh: str = "") -> str:
    """A service's section: the first of `hosts`, addresses by name, is of staging; `more` is put before it."""
    rows = []
    for index, (name, address) in enumerate(hosts.items()):
        pool = 'pool = "staging", ' if index == 0 else ""
        by = f', ssh = "{ssh}"' if ssh else ""
        rows.append(f'  {{ {pool}datacenter = "fra1", name = "{name}", address = "{address}"{by} }},')
    return f'{more}\n[service.{service}]\nrevision = "r1"\nhosts = [\n' + "\n".join(rows) + "\n]\n"


@dataclass
class Came:
    found: list[Reached]

    @property
    def lines(self) -> list[str]:
        return [" | ".join(row) for row in lines(self.found)]

    @property
    def summary(self) -> str:
        return summary(self.found)

    def of(self, kind: str) -> list[str]:
        """Names and words of one kind, well or wrong."""
        return [f"{each.name}: {each.said}" for each in self.found if each.kind == kind]

    def wrong(self, kind: str) -> list[str]:
        return [f"{each.name}: {each.said}: {each.mend}" for each in self.found if each.kind == kind and not each.ok]


def write(folder: Path, *texts: str) -> Path:
    path = folder / "config.toml"
    path.write_text("".join((HEAD, *texts)))
    path.chmod(0o600)
    return path


async def reaching(folder: Path, *texts: str, only: Iterable[str] = ()) -> Came:
    settings = load(write(folder, *texts))
    return Came(await reach(settings, frozenset(only), SystemClock(), Progress(io.StringIO())))
