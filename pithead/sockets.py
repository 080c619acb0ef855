"""Whether a controller answers on a unix socket, asked with the standard library alone; and whose it is where not."""

import os
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path

TIMEOUT_S = 2.0


class Heard(Enum):
    ANSWER = auto()
    SILENCE = auto()
    FORBIDDEN = auto()
    """There is a socket, or a folder that we may not look into."""


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


def closed_to_us(path: Path) -> tuple[str, str]:
    """Why the socket at `path`, which is forbidden, is not ours to use, and what to do about it."""
    found = next((status for each in (path, *path.parents) if (status := _seen(each)) is not None), None)
    why = f"a controller's socket is there ({path}), but you ({_user(os.geteuid())}) may not use it"
    if found is None:
        return why, "ask its owner"
    owner = f"ask its owner ({_user(found.st_uid)})"
    if not found.st_mode & stat.S_IRWXG:
        return why, f"{owner}, who may share it with a group: group = ... in the configuration"
    return why, f"join its group ({_group(found.st_gid)}), or {owner}"


def _seen(path: Path) -> os.stat_result | None:
    with suppress(OSError):
        return path.stat()
    return None


def _user(number: int) -> str:
    import pwd

    return _named(lambda: pwd.getpwuid(number).pw_name, f"uid {number}")


def _group(number: int) -> str:
    import grp

    return _named(lambda: grp.getgrgid(number).gr_name, f"gid {number}")


def _named(name: Callable[[], str], number: str) -> str:
    with suppress(KeyError):
        return name()
    return number
