"""A small HTTP/1.1 client for polling many hosts."""

from adapters.wire.client import BODY_LIMIT, OURS, Wire, WireAnswer, WireError

__all__ = ["BODY_LIMIT", "OURS", "Wire", "WireAnswer", "WireError"]
