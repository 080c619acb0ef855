"""The sockets' folder and the sockets: for their owner alone, or for one group as well."""

import grp
import os
import socket
import stat
from pathlib import Path

LONGEST_PATH = 107
"""Bytes that the kernel takes for a socket's path."""
PROBE_S = 1.0


def folder(path: Path, group: str | None) -> None:
    """Make `path`, or take it over if it is ours. Raises `OSError`: what, why, what to do."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
    except OSError as exc:
        raise OSError(f"{path}: {exc.strerror}: set another run_dir") from exc
    if not stat.S_ISDIR(found.st_mode):
        raise OSError(f"{path}: is a link or file, not a folder: remove it, or set another run_dir")
    if found.st_uid != os.geteuid():
        raise OSError(f"{path}: belongs to uid {found.st_uid}: set a run_dir of your own")
    _share(path, group, alone=0o700, together=0o750)


def listen(path: Path, group: str | None) -> socket.socket:
    """A bound, listening socket; one left behind by a dead controller is replaced. Raises `OSError`."""
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise OSError(f"{path}: is longer than the {LONGEST_PATH} bytes of a socket's path: set a shorter run_dir")
    _clear(path)
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        line.bind(str(path))
        _share(path, group, alone=0o600, together=0o660)
        line.listen(128)
    except BaseException:
        line.close()
        raise
    line.setblocking(False)
    return line


def _clear(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise OSError(f"{path}: is no socket: move it away, or set another run_dir")
    if answers(path):
        raise OSError(f"{path}: another controller answers there: use that one, or stop it first")
    path.unlink(missing_ok=True)


def answers(path: Path) -> bool:
    """Whether anybody listens at the socket `path`, be it only to hang."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_S)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True
        return True


def _share(path: Path, group: str | None, *, alone: int, together: int) -> None:
    if group is None:
        path.chmod(alone)
        return
    try:
        os.chown(path, -1, grp.getgrnam(group).gr_gid)
    except KeyError:
        raise OSError(f"{path}: there is no group {group!r}: put `group` right in the configuration") from None
    except PermissionError as exc:
        raise OSError(f"{path}: this user is not in the group {group!r}: join it, or leave `group` out") from exc
    path.chmod(together)
