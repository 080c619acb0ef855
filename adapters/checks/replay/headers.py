"""Headers of a recorded request: which are sent on, and which name may mark what a replay sends."""

from adapters.checks.replay.recording import SERVICE_HEADER, Headers
from adapters.wire import OURS

OVERRIDES = frozenset({"x-http-method-override", "x-http-method", "x-method-override"})
"""Headers by which a GET does what another method does."""
_LEFT_OUT = OURS | OVERRIDES | {SERVICE_HEADER, "forwarded", "via", "x-real-ip", "proxy-authenticate"}
_LEFT_OUT_STARTS = ("x-forwarded-", "sec-websocket-")
_THE_REQUESTS = frozenset(
    {
        "accept",
        "accept-charset",
        "accept-language",
        "authorization",
        "cache-control",
        "content-encoding",
        "content-language",
        "content-type",
        "cookie",
        "origin",
        "pragma",
        "proxy-authorization",
        "range",
        "referer",
        "user-agent",
    }
)
_THE_REQUESTS_STARTS = ("if-", "access-control-", "proxy-")
_WANTED = "name a header of your own, such as X-Environment"


def header_fault(name: str) -> str:
    """Why `name` cannot mark the requests of a replay, and what to do; "" if it can."""
    lower = name.strip().lower()
    if lower in OURS:
        return f"belongs to the connection and is never sent as it is set: {_WANTED}"
    if lower in OVERRIDES:
        return f"makes another method of a request: {_WANTED}"
    if lower in _LEFT_OUT or lower.startswith(_LEFT_OUT_STARTS):
        return f"says which way a request came: {_WANTED}"
    if lower in _THE_REQUESTS or lower.startswith(_THE_REQUESTS_STARTS):
        return f"is the request's own, and another value asks for something else: {_WANTED}"
    return ""


def may_be_sent(name: str, headers: Headers) -> bool:
    """Not what belongs to one hop of the recorded way, nor where the request came from."""
    hops = {token.strip().lower() for key, value in headers if key == "connection" for token in value.split(",")}
    return not (name in _LEFT_OUT or name in hops or name.startswith(_LEFT_OUT_STARTS))
