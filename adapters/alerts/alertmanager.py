"""Alerts from Prometheus' Alertmanager, or what speaks its API v2 (Mimir, Grafana, vmalert's Alertmanager)."""

import asyncio
import json
from collections.abc import Sequence
from urllib.parse import urlsplit

from adapters import http
from adapters.alerts.access import Access
from adapters.alerts.alert import Alert, AlertLabels, AlertsFault
from adapters.alerts.reading import NotAlerts, alerts_in
from adapters.metrics.source import Matcher
from adapters.secret import NoSecret
from pipeline.ports import Clock
from pipeline.text import PlainText, plain

BODY_LIMIT = 32 * 1024 * 1024
SAID_KEPT = 2_048
"""Bytes of a refusal that are read for its reason."""
PATH = "/api/v2/alerts"
_FIXED = (("active", "true"), ("silenced", "false"), ("inhibited", "false"))


class AlertmanagerAlerts:
    """One event loop's view of one Alertmanager; `close` it at the end.

    Args:
        url: with a path where it has one, "https://prometheus.example/alertmanager"; without a password.
        labels: which label says what.
        matchers: alerts that do not match all of these are not asked for.
        access: who asks.
        client: for a server whose certificate needs an authority of its own; closed with this.

    Raises:
        ValueError: `url` is not one of HTTP.
    """

    left_out: int = 0
    """Alerts that the newest answer had beyond those that are kept."""

    def __init__(
        self,
        url: str,
        clock: Clock,
        labels: AlertLabels | None = None,
        matchers: Sequence[Matcher] = (),
        access: Access | None = None,
        client: http.AsyncClient | None = None,
    ) -> None:
        self._url = _checked(url) + PATH
        self._clock = clock
        self._labels = labels if labels is not None else AlertLabels()
        self._params = (*_FIXED, *(("filter", written(matcher)) for matcher in matchers))
        self._access = access if access is not None else Access()
        self._client = client if client is not None else http.client(connections=1)

    async def alerts(self, timeout_s: float) -> tuple[Alert, ...] | AlertsFault:
        """The alerts that fire now, at most 500: those that name a service and the gravest first."""
        try:
            async with asyncio.timeout(timeout_s):
                body = await self._body(timeout_s)
            found, self.left_out = alerts_in(body, self._labels)
            return found
        except (TimeoutError, http.TimeoutException):
            why = f"no answer in {timeout_s:g} s"
        except NotAlerts as error:
            why = f"not an Alertmanager, or not its API v2: {error}: check the url"
        except (_Refused, NoSecret) as error:
            why = str(error)
        except (http.HTTPError, http.InvalidURL, http.StreamError, ValueError) as error:
            why = f"{_kind(error)}: {error}" if str(error) else _kind(error)
        return AlertsFault(self._clock.monotonic(), plain(why, 300))

    async def close(self) -> None:
        await self._client.aclose()

    async def _body(self, timeout_s: float) -> bytes:
        # Uncompressed, as a few bytes may unpack to more than there is memory.
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", **self._access.sent()}
        asked = self._client.stream("GET", self._url, params=self._params, headers=headers, timeout=timeout_s)
        async with asked as answer:
            if answer.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
                raise _Refused("malformed answer: compressed though that was not asked for")
            limit = BODY_LIMIT if answer.status_code == 200 else SAID_KEPT
            body = bytearray()
            async for part in answer.aiter_raw():
                body += part
                if len(body) > limit:
                    break
            if answer.status_code != 200:
                raise _Refused(_refusal(answer.status_code, bytes(body)))
            if len(body) > limit:
                raise _Refused(f"more than {BODY_LIMIT // 1024 // 1024} MiB of alerts: narrow the matchers")
            return bytes(body)


class _Refused(Exception):
    """An answer that brings no alerts, and why."""


def written(matcher: Matcher) -> str:
    """As Alertmanager's `filter` takes it; its patterns are RE2's."""
    value = matcher.value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'{matcher.label}{matcher.op}"{value}"'


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("expected a URL such as http://127.0.0.1:9093")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a URL must not carry a password: give it as a file or a variable")
    return url.rstrip("/")


def _refusal(status: int, body: bytes) -> str:
    if status in (401, 403):
        return f"HTTP {status}: it does not let us in: check the token or the password"
    if 300 <= status < 400:
        return f"HTTP {status}: it sends us elsewhere, and we do not follow: check the url"
    return f"HTTP {status}{_reason(body)}"


def _reason(body: bytes) -> PlainText:
    """What the API says of a refusal, which is a JSON string."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return plain("")
    return plain(f": {said}", 200) if isinstance(said, str) else plain("")


def _kind(error: Exception) -> str:
    if isinstance(error, http.ConnectError):
        return "no connection"
    if isinstance(error, http.RemoteProtocolError | http.StreamError):
        return "malformed answer"
    return type(error).__name__
