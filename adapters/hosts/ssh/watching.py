"""The files by which a person mends a failed login or a wrong host key: once one has changed, it is tried again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_KEYS = frozenset({"userknownhostsfile", "globalknownhostsfile", "identityfile", "certificatefile"})
"""Of what `ssh -G` prints."""
_USUAL = ("~/.ssh/config", "/etc/ssh/ssh_config")

Stamp = tuple[int, int, int] | None
"""Of one state of a file; None where it is not there."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Files as they were."""

    stamps: tuple[tuple[Path, Stamp], ...]

    def changed(self) -> bool:
        return any(_stamp(path) != before for path, before in self.stamps)


def watched(options: Sequence[str], said: bytes) -> Watched:
    """The files that `ssh -G` has named in `said`, and the configuration itself, as they are now."""
    names = list(_configuration(options))
    for line in said.decode("utf-8", "replace").splitlines():
        key, _, values = line.strip().partition(" ")
        if key.lower() in _KEYS:
            names += values.split()
    paths = dict.fromkeys(_path(name) for name in names if "\0" not in name)
    return Watched(tuple((path, _stamp(path)) for path in paths if path.is_absolute()))


def _configuration(options: Sequence[str]) -> Sequence[str]:
    for index, option in enumerate(options):
        if option == "-F" and index + 1 < len(options):
            return (options[index + 1],)
        if option.startswith("-F") and len(option) > 2:
            return (option[2:],)
    return _USUAL


def _path(name: str) -> Path:
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return Path(name)


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
