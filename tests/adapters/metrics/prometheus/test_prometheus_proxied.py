"""A real Prometheus behind a real nginx: a path of its own, a certificate of the company's, a password, a tenant."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.metrics.prometheus.answers import Kind, MetricsUnavailable
from adapters.metrics.prometheus.client import PrometheusClient
from adapters.metrics.prometheus.settings import ServerSettings
from adapters.secret import Secret
from pithead.clock import SystemClock
from tests.neighbours.need import need
from tests.neighbours.prometheus import free_address, prometheus, running

LONG_S = 15.0
NGINX = """
daemon off;
user root;
worker_processes 1;
pid {at}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {at}/body;
    proxy_temp_path {at}/proxy;
    fastcgi_temp_path {at}/fastcgi;
    uwsgi_temp_path {at}/uwsgi;
    scgi_temp_path {at}/scgi;
    server {{
        listen {ready};
        return 200;
    }}
    server {{
        listen {front} ssl;
        ssl_certificate {at}/cert.pem;
        ssl_certificate_key {at}/key.pem;
        location /shop/prometheus/ {{
            auth_basic metrics;
            auth_basic_user_file {at}/users;
            if ($http_x_scope_orgid != shop) {{ return 422; }}
            proxy_pass {behind}/;
        }}
    }}
}}
"""


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerSettings]:
    """How the server is to be asked."""
    at: Path = tmp_path_factory.mktemp("nginx")
    program, openssl = need("nginx"), need("openssl")
    made = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    made += ["-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=metrics", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(made, cwd=at, capture_output=True, timeout=60, check=True)
    hashed = subprocess.run([openssl, "passwd", "-apr1", "s3cret"], capture_output=True, timeout=60, check=True).stdout
    (at / "users").write_bytes(b"pithead:" + hashed)
    (at / "password").write_text("s3cret\n")
    (at / "password").chmod(0o600)
    front, ready = free_address(), free_address()
    with prometheus(at / "prometheus") as behind:
        (at / "nginx.conf").write_text(NGINX.format(at=at, front=front, ready=ready, behind=behind))
        command = [program, "-p", str(at), "-c", str(at / "nginx.conf"), "-e", "stderr"]
        with running(command, at / "log", f"http://{ready}/"):
            yield ServerSettings(
                f"https://{front}/shop/prometheus/",
                ca_file=at / "cert.pem",
                user="pithead",
                password=Secret(file=at / "password"),
                headers={"X-Scope-OrgID": "shop"},
            )


async def asked(settings: ServerSettings) -> object:
    client = PrometheusClient(settings, SystemClock())
    try:
        return [series.value and series.value[1] for series in await client.instant("vector(7)", None, LONG_S)]
    except MetricsUnavailable as error:
        return error.kind, error.why
    finally:
        await client.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_server_behind_a_proxy_is_read_with_all_that_it_wants(proxied: ServerSettings, method: str) -> None:
    assert await asked(replace(proxied, method=method)) == ["7"]


async def test_what_the_proxy_misses_is_said(proxied: ServerSettings) -> None:
    said = [
        await asked(replace(proxied, user="", password=None)),
        await asked(replace(proxied, headers={})),
        await asked(replace(proxied, url=proxied.url.replace("/shop", ""))),
        await asked(replace(proxied, url=proxied.url.replace("https", "http"))),
        await asked(replace(proxied, ca_file=None)),
    ]
    assert said == [
        (Kind.AUTH, "HTTP 401: the server wants other credentials"),
        (Kind.QUERY, "query refused: an empty body"),
        (
            Kind.NOT_PROMETHEUS,
            f"HTTP 404 from {proxied.base.replace('/shop', '')}/api/v1/query: is that the right path?",
        ),
        (Kind.QUERY, "query refused: 400 The plain HTTP request was sent to HTTPS port"),
        (Kind.REFUSED, "certificate not trusted: self-signed certificate"),
    ]
