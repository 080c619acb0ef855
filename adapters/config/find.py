"""Where the configuration is looked for, and where the demo's is."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path


class NoConfig(Exception):
    """No configuration anywhere; the text lists where it was looked for."""


def find(given: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The configuration to read: `given` (--config), else PITHEAD_CONFIG, else the first that exists of
    ./config.toml, XDG_CONFIG_HOME/pithead/config.toml and /etc/pithead/config.toml.

    What a person named is returned unseen, so that reading it says what is wrong with it. Raises `NoConfig`.
    """
    if given is not None:
        return given
    named = environ.get("PITHEAD_CONFIG")
    if named:
        return Path(named)
    places = candidates(environ)
    for place in places:
        if place.exists():
            return place
    raise NoConfig(f"there is none: looked for {', '.join(str(place) for place in places)}")


def candidates(environ: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    home = _folder(environ, "XDG_CONFIG_HOME", ".config")
    return Path("config.toml"), home / "pithead" / "config.toml", Path("/etc/pithead/config.toml")


def _folder(environ: Mapping[str, str], variable: str, below_home: str) -> Path:
    """As the XDG base directory specification has it: a relative path there does not count."""
    named = environ.get(variable, "")
    if named.startswith("/"):
        return Path(named)
    return Path(environ.get("HOME") or "/") / below_home


def demo_config_path() -> Path:
    """The configuration that comes with the program: the demo's, and the reference of every key."""
    beside = Path(__file__).resolve().parents[2] / "config.toml"
    return beside if beside.exists() else Path(sys.prefix) / "share" / "pithead" / "config.toml"
