"""The session that prometheus-api-client talks through: bounded in time and size, and wary of what comes back.

The library asks for the query in the address, has no timeout, retries by itself and drops a server's warnings;
all of that is put right here. Loading this module loads `requests`: only `client.py` does, at the first question.
"""

import base64
import os
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.util.retry import Retry

from adapters.metrics.prometheus.answers import BODY_LIMIT, Kind, MetricsUnavailable, any_of, error_of, series_of
from adapters.metrics.prometheus.call import Call
from adapters.metrics.prometheus.settings import ServerSettings
from adapters.secret import NoSecret, Secret
from pipeline.text import PlainText, plain

CONNECTIONS = 4
_CHUNK = 64 * 1024
_HERE = threading.local()
"""`call`: what this worker thread is at."""
_ANSWERS_TO_QUERIES = ("/api/v1/query", "/api/v1/query_range")
_REFUSALS = frozenset({400, 413, 422})
_OVERLOADS = frozenset({408, 429})


class _Lever:
    """Lets the event loop end what a thread does with a connection. Before a connection class of urllib3."""

    _line: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        made: socket.socket = super()._new_conn()  # type: ignore[misc]
        self._let_go()
        # A duplicate, as TLS takes the socket itself away.
        self._line = made.dup()
        _HERE.call.hold(self._line)
        return made

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self._line is not None:
            _HERE.call.hold(self._line)
        super().request(*args, **kwargs)  # type: ignore[misc]

    def close(self) -> None:
        self._let_go()
        super().close()  # type: ignore[misc]

    def _let_go(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


class _Connection(_Lever, HTTPConnection):
    pass


class _SafeConnection(_Lever, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SafePool(HTTPSConnectionPool):
    ConnectionCls = _SafeConnection


class _Adapter(HTTPAdapter):
    def __init__(self) -> None:
        super().__init__(CONNECTIONS, CONNECTIONS, Retry(total=0), pool_block=False)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SafePool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SafePool}
        return manager


class _Told(requests.Response):
    """An answer that was read, decoded and believed."""

    def __init__(self, data: object) -> None:
        super().__init__()
        self.status_code = 200
        self._data = data

    def json(self, **_: Any) -> Any:
        return {"data": self._data if not isinstance(self._data, list) else {"result": self._data}}


class WarySession(requests.Session):
    """Every request of it is made within the `Call` that `during` names. Raises `MetricsUnavailable`."""

    def __init__(self, settings: ServerSettings) -> None:
        super().__init__()
        self._settings = settings
        for file in (settings.ca_file, settings.client_cert, settings.client_key):
            if file is not None and not os.access(file, os.R_OK):
                raise MetricsUnavailable(Kind.AUTH, f"{file} cannot be read: name the certificate's file")
        self.infos: tuple[PlainText, ...] = ()
        """What the newest answer remarked."""
        self.trust_env = settings.trust_env
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        paths = ssl.get_default_verify_paths()
        self.verify = str(settings.ca_file or paths.cafile or paths.capath or "") or True
        if settings.client_cert is not None:
            cert, key = settings.client_cert, settings.client_key
            self.cert = (str(cert), str(key)) if key is not None else str(cert)

    def mount(self, prefix: str | bytes, adapter: BaseAdapter) -> None:
        """The library mounts an adapter of its own; ours takes its place."""
        super().mount(str(prefix), _Adapter() if isinstance(adapter, HTTPAdapter) else adapter)

    def request(self, method: str | bytes, url: str | bytes, *_: Any, **asked: Any) -> requests.Response:
        """Raises `MetricsUnavailable` for everything but an answer that may be believed."""
        call: Call = _HERE.call
        try:
            return self._told(str(method), str(url), {**self._settings.params, **(asked.get("params") or {})}, call)
        except MetricsUnavailable:
            raise
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise _unavailable(error, call) from None

    def _told(self, method: str, url: str, params: Mapping[str, str], call: Call) -> requests.Response:
        named = {"data": params} if method == "POST" else {"params": params}
        head = {**self._settings.headers, **_authorization(self._settings), "Accept-Encoding": "gzip"}
        with super().request(
            method,
            url,
            **named,  # type: ignore[arg-type]
            headers=head,
            timeout=call.timeout,
            allow_redirects=False,
            stream=True,
        ) as answer:
            body = _body(answer, call)
            _check(answer, body, url)
        if url.endswith(_ANSWERS_TO_QUERIES):
            series, self.infos = series_of(body)
            return _Told(series)
        return _Told(any_of(body))


def during(call: Call, do: Callable[[], Any]) -> Any:
    """`do()` in this thread, within `call`."""
    _HERE.call = call
    try:
        return do()
    finally:
        call.release()
        del _HERE.call


def _said(secret: Secret) -> str:
    try:
        return secret.read()
    except NoSecret as error:
        raise MetricsUnavailable(Kind.AUTH, str(error)) from None


def _authorization(settings: ServerSettings) -> dict[str, str]:
    if settings.bearer is not None:
        return {"Authorization": f"Bearer {_said(settings.bearer)}"}
    if settings.password is not None:
        pair = f"{settings.user}:{_said(settings.password)}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    return {}


def _body(answer: requests.Response, call: Call) -> bytes:
    parts: list[bytes] = []
    size = 0
    # `read1` comes back after one read from the network: between two of them it is seen that time is over.
    while part := answer.raw.read1(_CHUNK, decode_content=True):
        parts.append(part)
        size += len(part)
        if call.ended:
            raise MetricsUnavailable(Kind.TIMEOUT, "no whole answer in time")
        if size > BODY_LIMIT:
            answer.raw.close()
            raise MetricsUnavailable(Kind.TOO_LARGE, f"an answer of more than {BODY_LIMIT >> 20} MiB: ask for less")
    return b"".join(parts)


def _check(answer: requests.Response, body: bytes, url: str) -> None:
    status = answer.status_code
    if status == 200:
        return
    if status in (401, 403):
        raise MetricsUnavailable(Kind.AUTH, f"HTTP {status}: the server wants other credentials")
    if status in _REFUSALS:
        raise MetricsUnavailable(Kind.QUERY, f"query refused: {error_of(body)}")
    if status in _OVERLOADS or status >= 500:
        raise MetricsUnavailable(Kind.OVERLOADED, f"HTTP {status}: {error_of(body)}")
    if 300 <= status < 400:
        there = plain(answer.headers.get("Location", "elsewhere"), 100)
        raise MetricsUnavailable(Kind.NOT_PROMETHEUS, f"HTTP {status} to {there}: name the server's own address")
    raise MetricsUnavailable(Kind.NOT_PROMETHEUS, f"HTTP {status} from {plain(url, 100)}: is that the right path?")


def _unavailable(error: Exception, call: Call) -> MetricsUnavailable:
    if call.ended:
        return MetricsUnavailable(Kind.TIMEOUT, "no whole answer in time")
    if isinstance(error, requests.ConnectTimeout):
        return MetricsUnavailable(Kind.TIMEOUT, f"no connection in {call.timeout[0]:g} s")
    if isinstance(error, requests.Timeout | ReadTimeoutError | TimeoutError):
        return MetricsUnavailable(Kind.TIMEOUT, f"nothing heard for {call.timeout[1]:g} s")
    return MetricsUnavailable(Kind.REFUSED, _root(error))


def _root(error: BaseException) -> str:
    """The innermost reason: libraries wrap it three times, each with the query in its text."""
    for _ in range(8):
        inner = error.__cause__ or error.__context__
        if inner is None:
            break
        error = inner
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, socket.gaierror):
        return "no such host name"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not trusted: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return str(error.strerror)
    return f"connection lost: {type(error).__name__}"
