"""httpx, and the only module that imports it: a client for one neighbour (an API, a webhook).

Never one client for many hosts: its pool walks all connections for each request. Hosts are polled
over `adapters.wire`.
"""

import ssl
from collections.abc import Mapping
from functools import cache

from httpx import (
    AsyncBaseTransport,
    AsyncClient,
    AsyncHTTPTransport,
    ConnectError,
    HTTPError,
    HTTPStatusError,
    InvalidURL,
    Limits,
    ReadError,
    RemoteProtocolError,
    Request,
    Response,
    StreamError,
    Timeout,
    TimeoutException,
    TransportError,
)

__all__ = [
    "AsyncBaseTransport",
    "AsyncClient",
    "ConnectError",
    "HTTPError",
    "HTTPStatusError",
    "InvalidURL",
    "ReadError",
    "RemoteProtocolError",
    "Request",
    "Response",
    "StreamError",
    "Timeout",
    "TimeoutException",
    "TransportError",
    "client",
]


def client(
    base_url: str = "",
    *,
    timeout_s: float = 5.0,
    uds: str | None = None,
    headers: Mapping[str, str] | None = None,
    connections: int = 10,
) -> AsyncClient:
    """A client with a deadline that follows no redirects and reads nothing from the environment.

    Args:
        base_url: of relative requests; with `uds` any name will do, "http://controller".
        timeout_s: to connect, and between two bytes. A stream that may be silent for long gives its
            own `timeout=` with the request; a deadline of the whole is the caller's `asyncio.timeout`.
        uds: path of a unix socket to speak over; such a client speaks no TLS.
        headers: sent with every request.
        connections: at most so many at once.
    """
    limits = Limits(max_connections=connections, max_keepalive_connections=connections)
    transport = AsyncHTTPTransport(
        verify=_verified() if uds is None else _unverifiable(), uds=uds, trust_env=False, limits=limits
    )
    return AsyncClient(
        base_url=base_url,
        headers=headers,
        timeout=Timeout(timeout_s),
        follow_redirects=False,
        trust_env=False,
        transport=transport,
    )


@cache
def _verified() -> ssl.SSLContext:
    # Reading the CA files takes 20 ms, so all clients share one context.
    return ssl.create_default_context()


@cache
def _unverifiable() -> ssl.SSLContext:
    # It trusts nobody: httpx wants a context even where no TLS is spoken.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
