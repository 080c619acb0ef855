"""A real Prometheus on loopback, which scrapes what a test tells it to."""

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

from tests.neighbours.need import need

READY_S = 20.0
END_S = 10.0
EVERY = "200ms"


def scrape_config(targets: Sequence[tuple[str, Mapping[str, str]]]) -> str:
    """The scrape part of a configuration: ("host:port", labels) each; `__metrics_path__` is a label too."""
    listed = json.dumps([{"targets": [address], "labels": dict(labels)} for address, labels in targets])
    return (
        f"global: {{scrape_interval: {EVERY}, scrape_timeout: {EVERY}}}\n"
        f"scrape_configs:\n- {{job_name: app, static_configs: {listed}}}\n"
    )


@contextmanager
def prometheus(
    folder: Path,
    targets: Sequence[tuple[str, Mapping[str, str]]] = (),
    *,
    data: Path | None = None,
    options: Sequence[str] = (),
    more: str = "",
    address: str = "",
) -> Iterator[str]:
    """Its address, "http://127.0.0.1:PORT", for as long as it runs; `data` is a folder with blocks.

    `more` is added to its configuration, whose last part is the list of scrape jobs. `address` is where it listens.
    """
    program = need("prometheus")
    folder.mkdir(parents=True, exist_ok=True)
    address = address or free_address()
    (folder / "prometheus.yml").write_text(scrape_config(targets) + more)
    command = [
        program,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={data or folder / 'data'}",
        f"--web.listen-address={address}",
        "--log.level=error",
        *options,
    ]
    with running(command, folder / "log", f"http://{address}/-/ready"):
        yield f"http://{address}"


@contextmanager
def running(command: Sequence[str], log: Path, ready: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program from when `ready` answers with 200 until the end of the block."""
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        end = time.monotonic() + READY_S
        while not _answers(ready):
            assert process.poll() is None, log.read_text()[-500:]
            assert time.monotonic() < end, f"{command[0]} is not ready: {log.read_text()[-500:]}"
            time.sleep(0.02)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_address() -> str:
    """Where nobody listens at this moment."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{holder.getsockname()[1]}"


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1.0) as answer:
            return int(answer.status) == 200
    except (URLError, OSError):
        return False
