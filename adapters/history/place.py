"""Where a history may lie: a folder of one's own, on a disk of this machine, without planted links."""

import os
import re
import stat
from pathlib import Path

from pipeline.ports import HistoryError

MOUNTS = Path("/proc/mounts")
REMOTE = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|9p|afs|ceph|lustre|beegfs|gpfs|ncpfs|"
    r"fuse\.(sshfs|glusterfs|ceph.*|s3fs|rclone|smbnetfs|davfs.*|juicefs|afp.*)"
)
"""File systems on which another machine may write: SQLite's locks and shared memory do not hold there."""


def prepare(database: Path, mounts: Path = MOUNTS) -> None:
    """Make the database's folder and an empty file with the right modes where there are none.

    Raises `HistoryError` for a place where the history would not be safe; nothing is changed then.
    Must run before the database is opened: closing its file later would drop SQLite's locks.
    """
    folder = database.parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_folder(folder)
        kind = file_system(folder, mounts)
        if REMOTE.fullmatch(kind):
            raise HistoryError(
                f"{database}: lies on a network file system ({kind}), where its locks do not hold: "
                "set state_dir to a folder on a local disk"
            )
        for beside in ("", "-wal", "-shm", "-journal", ".lock", ".reserve"):
            _check_file(Path(f"{database}{beside}"))
        _create(database)
    except OSError as exc:
        raise HistoryError(f"{database}: {exc.strerror or exc}: make its folder writable for this user") from exc


def file_system(path: Path, mounts: Path = MOUNTS) -> str:
    """Kind of the file system that `path` lies on, as the kernel names it; "" where nobody knows."""
    try:
        lines = mounts.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return ""
    here = path.resolve()
    best, kind = -1, ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[1]))
        # A later mount on the same point covers the earlier one.
        if here.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), fields[2]
    return kind


def _check_folder(folder: Path) -> None:
    real = folder.resolve()
    found = real.stat()
    if found.st_uid not in (os.geteuid(), 0):
        raise HistoryError(f"{folder}: belongs to uid {found.st_uid}: use a folder of your own as state_dir")
    if found.st_mode & stat.S_IWOTH:
        raise HistoryError(f"{folder}: anyone may write to it, so anyone could swap the history: chmod o-w {folder}")
    for above in real.parents:
        mode = above.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise HistoryError(f"{folder}: anyone may write to {above}, so anyone could swap it: chmod o-w {above}")


def _check_file(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISLNK(found.st_mode):
        raise HistoryError(f"{path}: is a symbolic link, which could lead anywhere: remove it, or name the real file")
    if not stat.S_ISREG(found.st_mode):
        raise HistoryError(f"{path}: is not a file: move it away, or set another state_dir")
    if found.st_uid != os.geteuid():
        raise HistoryError(f"{path}: belongs to uid {found.st_uid}: run as that user, or set another state_dir")


def _create(database: Path) -> None:
    # SQLite gives -wal and -shm the mode of the database itself.
    try:
        os.close(os.open(database, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_RDWR, 0o600))
    except FileExistsError:
        database.chmod(0o600)
