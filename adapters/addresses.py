"""What hosts are called from outside: by HTTP and by ssh."""

import re

_ADDRESS = re.compile(r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}):([0-9]{1,5})")
_DESTINATION = re.compile(r"(?:[A-Za-z0-9._][A-Za-z0-9._+-]{0,99}@)?[A-Za-z0-9._][A-Za-z0-9._-]{0,252}")


def is_address(written: str) -> bool:
    """Whether `written` is `host:port`."""
    found = _ADDRESS.fullmatch(written)
    return found is not None and 1 <= int(found[1]) <= 65_535


def is_destination(written: str) -> bool:
    """Whether `written` is what ssh is called with: `web-1` or `deploy@web-1`; a leading dash would be an option."""
    return _DESTINATION.fullmatch(written) is not None
