"""Secrets of servers: in a file or in the environment, read anew for each request, never shown."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.text import plain

LONGEST = 8_192
_PRINTABLE = re.compile(r"[!-~]{1,8192}\Z")


class NoSecret(Exception):
    """A secret that cannot be had; its text says why and shows nothing of it."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a token or a password stands, in a file or in a variable of the environment; never the thing itself."""

    file: Path | None = None
    env: str = ""

    def read(self) -> str:
        """Raises `NoSecret`. A file may change while we run, as tokens expire."""
        where = str(self.file) if self.file is not None else f"${self.env}"
        said = self._said(where)
        if _PRINTABLE.match(said) is None:
            raise NoSecret(f"{plain(where, 200)}: expected one word of ASCII without blanks")
        return said

    def _said(self, where: str) -> str:
        if self.file is None:
            if self.env not in os.environ:
                raise NoSecret(f"{plain(where, 200)} is not set")
            return os.environ[self.env].strip()
        try:
            with self.file.open("rb") as file:
                return file.read(LONGEST + 2).decode("ascii", "replace").strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a file's name"
            raise NoSecret(f"{plain(where, 200)}: {reason}") from None
