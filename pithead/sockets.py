"""Whether a controller answers on a unix socket, asked with the standard library alone."""

import socket
from enum import Enum, auto
from pathlib import Path

TIMEOUT_S = 2.0


class Heard(Enum):
    ANSWER = auto()
    SILENCE = auto()
    FORBIDDEN = auto()


def hear(path: Path) -> Heard:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(TIMEOUT_S)
        try:
            line.connect(str(path))
        except PermissionError:
            return Heard.FORBIDDEN
        except OSError:
            return Heard.SILENCE
    return Heard.ANSWER
