"""How to show an API who asks: secrets come from a file or the environment, and are read anew for each request."""

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
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
    variable: str = ""

    def read(self) -> str:
        """Raises `NoSecret`. A file may change while we run, as tokens expire."""
        where = str(self.file) if self.file is not None else f"${self.variable}"
        said = self._said(where)
        if _PRINTABLE.match(said) is None:
            raise NoSecret(f"{plain(where, 200)}: expected one word of ASCII without blanks")
        return said

    def _said(self, where: str) -> str:
        if self.file is None:
            if self.variable not in os.environ:
                raise NoSecret(f"{plain(where, 200)} is not set")
            return os.environ[self.variable].strip()
        try:
            with self.file.open("rb") as file:
                return file.read(LONGEST + 2).decode("ascii", "replace").strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a file's name"
            raise NoSecret(f"{plain(where, 200)}: {reason}") from None


@dataclass(frozen=True, slots=True)
class Access:
    """A bearer token, or a user and a password; and headers that are no secret, such as `X-Scope-OrgID`."""

    bearer: Secret | None = None
    user: str = ""
    password: Secret | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def sent(self) -> dict[str, str]:
        """The headers of a request; raises `NoSecret`."""
        sent = dict(self.headers)
        if self.bearer is not None:
            sent["Authorization"] = f"Bearer {self.bearer.read()}"
        elif self.password is not None:
            pair = f"{self.user}:{self.password.read()}".encode()
            sent["Authorization"] = f"Basic {base64.b64encode(pair).decode('ascii')}"
        return sent
