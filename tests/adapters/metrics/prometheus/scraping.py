"""What the real servers of these tests scrape."""

import json
import time
import urllib.request
from dataclasses import dataclass

from tests.adapters.metrics.prometheus.pages import Pages, page

LONG_S = 20.0
ODD = 'odd "host"\\.|1'
HOSTS = ("cart-1", "cart-2", ODD, "gone-1", "twice-1", "still-1", "still-2")
SCRAPED = ("cart-1", "cart-2", ODD, "twice-1", "still-1", "still-2")


@dataclass(frozen=True)
class Scraping:
    """A server and what it scrapes: `HOSTS`, of which gone-1 fails and twice-1 is there twice."""

    url: str
    pages: Pages
    proxy: str
    """Where it also looks for an HAProxy's exporter, in a job of its own."""

    def wait(self) -> None:
        end = time.monotonic() + LONG_S
        while not set(SCRAPED) <= self._up():
            assert time.monotonic() < end, "nothing is scraped"
            time.sleep(0.05)

    def _up(self) -> set[str]:
        with urllib.request.urlopen(f"{self.url}/api/v1/targets", timeout=LONG_S) as answer:
            listed = json.load(answer)["data"]["activeTargets"]
        return {target["labels"]["instance"] for target in listed if target["health"] == "up"}


def fill(texts: Pages) -> list[tuple[str, dict[str, str]]]:
    """Write the pages of `HOSTS`; the server's targets."""
    names = {name: "odd-1" if name == ODD else name for name in HOSTS}
    texts.texts |= {names[name]: page(100) for name in SCRAPED}
    texts.texts["still-1"] = page(200, 10)
    listed = [(texts.address, {"__metrics_path__": f"/{names[name]}", "instance": name}) for name in HOSTS]
    return [*listed, (texts.address, {"__metrics_path__": "/twice-1", "instance": "twice-1", "track": "canary"})]
