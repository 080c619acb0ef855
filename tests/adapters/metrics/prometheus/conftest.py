"""One Prometheus for this folder: it needs five seconds before its first scrape."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.metrics.prometheus.presets import PRESETS
from adapters.metrics.prometheus.queries import Labels
from adapters.metrics.prometheus.rules import recording_rules
from adapters.metrics.source import Matcher, Op
from tests.adapters.metrics.prometheus.pages import pages
from tests.adapters.metrics.prometheus.scraping import Scraping, fill
from tests.neighbours.prometheus import free_address, prometheus


@pytest.fixture(scope="session")
def scraping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraping]:
    folder: Path = tmp_path_factory.mktemp("prometheus")
    still = Labels(extra=(Matcher("instance", Op.LIKE, "still-.*"),))
    wanted = [PRESETS["prometheus"][name] for name in ("requests", "errors", "latency")]
    (folder / "rules.yml").write_text(recording_rules(wanted, still, every_s=1))
    proxy = free_address()
    more = f"- {{job_name: proxy, static_configs: [{{targets: ['{proxy}']}}]}}\nrule_files: ['{folder}/rules.yml']\n"
    with pages() as texts, prometheus(folder, fill(texts), more=more) as url:
        here = Scraping(url, texts, proxy)
        here.wait()
        yield here
