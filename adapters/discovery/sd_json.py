"""The JSON of Prometheus' file_sd_configs: `[{"targets": ["10.0.0.1:7077"], "labels": {"service": "web"}}]`."""

from collections.abc import Sequence

import msgspec

from adapters.discovery.found import Found, SourceFault
from adapters.discovery.labels import LabelNames, hosts_of
from adapters.metrics.source import Matcher
from pipeline.text import plain

LIMIT = 4 * 1024 * 1024
"""Bytes of a file, and of what a command says."""
TOO_LONG = f"more than {LIMIT // 1024 // 1024} MiB: split it, or leave hosts of others out"


class _Group(msgspec.Struct, frozen=True):
    targets: list[str]
    labels: dict[str, str] = {}


_DECODER = msgspec.json.Decoder(list[_Group])


def hosts_in(raw: bytes, names: LabelNames, matchers: Sequence[Matcher] = ()) -> Found | SourceFault:
    """The hosts that `raw` names, or what is wrong with it; half of a file is never taken for the whole."""
    if len(raw) > LIMIT:
        return SourceFault(plain(TOO_LONG))
    if not raw.strip():
        return SourceFault(plain('empty: expected "[]" where there is no host'))
    try:
        groups = _DECODER.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        return SourceFault(plain(f"not the JSON of file_sd: {error}", 200))
    return hosts_of(((group.labels, target) for group in groups for target in group.targets), names, matchers)
