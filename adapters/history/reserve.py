"""Disk space kept back, so that a full disk still has room to record a pause or a rollback."""

import os
from pathlib import Path

SIZE_BYTES = 8 * 2**20


class Reserve:
    """A file of real blocks beside the database; given up when the disk is full, refilled when it is not."""

    def __init__(self, path: Path, size_bytes: int = SIZE_BYTES) -> None:
        self.path = path
        self.size_bytes = size_bytes
        self.kept = False

    def fill(self) -> None:
        """Take the space if thrice as much is free: a reserve that fills the disk would be no help."""
        try:
            if self.path.is_file() and self.path.stat().st_size >= self.size_bytes:
                self.kept = True
                return
            disk = os.statvfs(self.path.parent)
            if disk.f_bavail * disk.f_frsize < 3 * self.size_bytes:
                return
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(fd, 0, self.size_bytes)
            finally:
                os.close(fd)
            self.kept = True
        except OSError:
            self.give_up()

    def give_up(self) -> None:
        self.path.unlink(missing_ok=True)
        self.kept = False
