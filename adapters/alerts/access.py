"""How to show an API who asks: secrets come from a file or the environment, and are read anew for each request."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.secret import Secret


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
