"""What the server scrapes: a company's hosts, found where they are listed already."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from adapters.metrics.prometheus.answers import Kind, MetricsUnavailable
from adapters.metrics.prometheus.client import PrometheusClient
from pipeline.text import PlainText, plain

MOST = 50_000


@dataclass(frozen=True, slots=True)
class Target:
    labels: Mapping[str, PlainText]
    address: PlainText
    """`host:port` that is scraped."""
    healthy: bool
    """The last scrape worked."""


async def targets(client: PrometheusClient, deadline_s: float = 10.0) -> tuple[Target, ...]:
    """The active targets in the server's order; malformed ones are left out. Raises `MetricsUnavailable`."""
    data = await client.targets(deadline_s)
    listed = data.get("activeTargets") if isinstance(data, dict) else None
    if not isinstance(listed, list):
        raise MetricsUnavailable(Kind.NOT_PROMETHEUS, "no list of scrape targets: does the server scrape by itself?")
    if len(listed) > MOST:
        raise MetricsUnavailable(Kind.TOO_LARGE, f"more than {MOST:,} scrape targets")
    return tuple(target for entry in listed if (target := _target(entry)) is not None)


def _target(entry: object) -> Target | None:
    if not isinstance(entry, dict):
        return None
    labels, url = entry.get("labels"), entry.get("scrapeUrl")
    if not isinstance(labels, dict) or not isinstance(url, str):
        return None
    try:
        address = urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return None
    if not address:
        return None
    cleaned = {str(plain(str(label), 100)): plain(str(value), 200) for label, value in labels.items()}
    return Target(cleaned, plain(address, 200), entry.get("health") == "up")
