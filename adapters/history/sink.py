"""The second sink: where a rollback is recorded when the history cannot take it."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

Sink = Callable[[str], None]
"""Takes one line of JSON, or raises `OSError`: a line that nobody received was not recorded."""

_NOTICE_AUTHPRIV = 10 << 3 | 5


def to_syslog(line: str, device: Path = Path("/dev/log")) -> None:
    """Send `line` to the machine's log, readable for administrators only.

    Not the `syslog` module: that one drops a message in silence where no log daemon listens.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.settimeout(1.0)
        log.connect(str(device))
        log.send(f"<{_NOTICE_AUTHPRIV}>pithead[{os.getpid()}]: {line}".encode())
