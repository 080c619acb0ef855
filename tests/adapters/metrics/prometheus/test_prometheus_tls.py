"""Who the server is, and who we are, by certificates."""

import asyncio
import json
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.metrics.prometheus.answers import Kind, MetricsUnavailable
from adapters.metrics.prometheus.client import PrometheusClient
from adapters.metrics.prometheus.settings import ServerSettings
from pithead.clock import SystemClock
from tests.adapters.metrics.prometheus.answering import vector
from tests.neighbours.need import need

LONG_S = 15.0
BODY = json.dumps(vector([({"instance": "a"}, 1)]))


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate of 127.0.0.1 that vouches for itself."""
    folder: Path = tmp_path_factory.mktemp("papers")
    command = [need("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=metrics"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=True)
    return folder


@pytest.fixture
async def address(papers: Path) -> AsyncIterator[str]:
    """A server that wants a certificate too if the path is asked for with one."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(papers / "cert.pem"))
    context.load_cert_chain(papers / "cert.pem", papers / "key.pem")
    context.verify_mode = ssl.CERT_OPTIONAL

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        known = bool(writer.get_extra_info("ssl_object").getpeercert())
        status = 200 if known else 403
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(BODY)}\r\nConnection: close\r\n\r\n{BODY}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await server.wait_closed()


async def asked(settings: ServerSettings, deadline_s: float = LONG_S) -> object:
    client = PrometheusClient(settings, SystemClock())
    try:
        return len(await client.instant("up", None, deadline_s))
    except MetricsUnavailable as error:
        return error.kind, error.why
    finally:
        await client.close()


async def test_a_certificate_that_nobody_vouches_for_is_refused(address: str) -> None:
    found = await asked(ServerSettings(address))
    assert isinstance(found, tuple)
    assert found[0] is Kind.REFUSED
    assert found[1].startswith("certificate not trusted: self")


async def test_the_authority_named_in_the_settings_is_trusted(address: str, papers: Path) -> None:
    assert await asked(ServerSettings(address, ca_file=papers / "cert.pem")) == (
        Kind.AUTH,
        "HTTP 403: the server wants other credentials",
    )


async def test_a_certificate_of_ours_says_who_we_are(address: str, papers: Path) -> None:
    cert, key = papers / "cert.pem", papers / "key.pem"
    assert await asked(ServerSettings(address, ca_file=cert, client_cert=cert, client_key=key)) == 1


async def test_a_file_that_is_not_there_is_named(address: str, papers: Path) -> None:
    found = await asked(ServerSettings(address, ca_file=papers / "none.pem"))
    assert isinstance(found, tuple)
    assert "none.pem" in found[1]


async def test_a_handshake_that_never_ends_ends_at_the_deadline(peers) -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        while await reader.read(1_000):
            pass

    url = f"https://{await peers.talking(silent)}"
    async with asyncio.timeout(LONG_S):
        assert await asked(ServerSettings(url), 0.3) == (Kind.TIMEOUT, "no answer in 0.3 s")
