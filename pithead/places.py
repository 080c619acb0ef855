"""Where a controller's history and its sockets are: as configured, or the XDG folders."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.config import Settings

FULL, VIEW = "pithead.sock", "view.sock"
"""The sockets in the run folder: read-write, and read-only."""


@dataclass(frozen=True, slots=True)
class Places:
    state: Path
    run: Path
    config: Path

    def socket(self, *, read_only: bool) -> Path:
        return self.run / (VIEW if read_only else FULL)

    @property
    def history(self) -> Path:
        return self.state / "history.db"


def places(
    settings: Settings, run: Path | None = None, state: Path | None = None, environ: Mapping[str, str] = os.environ
) -> Places:
    """`run` and `state` were named on the command line, and go before the configuration.

    A history that was placed by hand has its sockets beside it, so that two fleets of one person stay apart.
    """
    placed = state or settings.state_dir
    state = placed or _base(environ, "XDG_STATE_HOME", Path.home() / ".local" / "state") / "pithead"
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    usual = Path(runtime) / "pithead" if runtime.startswith("/") and placed is None else state / "run"
    return Places(state, run or settings.run_dir or usual, settings.path)


def _base(environ: Mapping[str, str], name: str, usual: Path) -> Path:
    """As the XDG base directory specification has it: a relative path there does not count."""
    named = environ.get(name, "")
    return Path(named) if named.startswith("/") else usual
