"""Where the sockets of shared connections are: a folder for each client, as others may use the same run folder."""

import fcntl
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

PREFIX = "ssh-"


class SocketFolder:
    """A folder below `run_dir`, mode 0700, locked for as long as it is in use; `remove` it at the end."""

    def __init__(self, run_dir: Path) -> None:
        """Raises `OSError`."""
        self._above = run_dir.absolute()
        self._lock = -1
        self._ours()
        self._sweep()
        self.path = self._made()

    def ready(self) -> Path:
        """It, made anew if somebody has removed it. Raises `OSError`."""
        if not self.path.is_dir():
            self._ours()
            self.path = self._made()
        return self.path

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self._let_go()

    def _ours(self) -> None:
        self._above.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = self._above.stat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise PermissionError(f"{self._above} is not a folder of ours: remove it")

    def _made(self) -> Path:
        made = Path(mkdtemp(prefix=PREFIX, dir=self._above))
        self._let_go()
        self._lock = os.open(made, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return made

    def _sweep(self) -> None:
        """Those that nobody uses any more: their clients were killed."""
        for old in self._above.glob(f"{PREFIX}*"):
            with suppress(OSError):
                fd = os.open(old, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(old, ignore_errors=True)
                finally:
                    os.close(fd)

    def _let_go(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
