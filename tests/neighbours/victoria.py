"""A real VictoriaMetrics (single node) on loopback, which scrapes what a test tells it to."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.neighbours.need import need
from tests.neighbours.prometheus import free_address, running, scrape_config


@contextmanager
def victoria(folder: Path, targets: Sequence[tuple[str, Mapping[str, str]]] = ()) -> Iterator[str]:
    """Its address, "http://127.0.0.1:PORT", for as long as it runs."""
    program = need("victoria-metrics")
    folder.mkdir(parents=True, exist_ok=True)
    address = free_address()
    (folder / "scrape.yml").write_text(scrape_config(targets))
    command = [
        program,
        f"-storageDataPath={folder / 'data'}",
        f"-httpListenAddr={address}",
        f"-promscrape.config={folder / 'scrape.yml'}",
        "-promscrape.config.strictParse=false",
        "-memory.allowedBytes=128MB",
        "-loggerLevel=ERROR",
    ]
    with running(command, folder / "log", f"http://{address}/health"):
        yield f"http://{address}"
