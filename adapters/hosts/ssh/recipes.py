"""How a service is put on a host: the ways there are, and what the helper must know of each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from adapters.hosts.ssh.artifacts import Artifact
from adapters.hosts.ssh.words import argv, path, word
from pipeline.text import is_identifier, plain

_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,99}\Z")


@dataclass(frozen=True, slots=True)
class ReleaseDir:
    """`ROOT/releases/REVISION`, and a symbolic link `ROOT/current` that one rename switches."""

    root: str
    """On the host: absolute or `~/...`; {host} is filled, for several hosts on one machine."""
    artifact: Artifact
    restart: tuple[str, ...] = ()
    """Run after the switch; if it fails, the old revision is put back and started again. {revision} is filled."""
    keep: int = 5
    """Releases kept, at least 1; what runs and what ran before are never removed."""
    health: tuple[str, ...] = ()
    """Ends with 0 while the service is well; without one, what runs counts as healthy."""

    def __post_init__(self) -> None:
        path(self.root)
        if self.keep < 1:
            raise ValueError(f"keep: {self.keep} releases: keep at least 1")

    def variables(self, revision: str, filling: Mapping[str, str]) -> Mapping[str, str]:
        return {
            "recipe": "release-dir",
            "root": path(self.root.replace("{host}", filling["host"])),
            "keep_releases": str(self.keep),
            "restart_words": argv(self.restart, filling),
            "health_words": argv(self.health, filling),
            **self.artifact.variables(revision),
        }


@dataclass(frozen=True, slots=True)
class Package:
    """A package of the system's own manager, installed at the version of the revision."""

    manager: str
    """"apt" or "dnf"."""
    name: str
    restart: tuple[str, ...] = ()
    sudo: bool = False
    """Install by `sudo -n`: for a login that may do so without a password."""
    version: str = "{revision}"
    """What the manager calls a revision: `1:{revision}-1`."""
    health: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.manager not in {"apt", "dnf"}:
            raise ValueError(f'package manager "{plain(self.manager, 40)}": must be apt or dnf')
        if not _PACKAGE.match(self.name):
            raise ValueError(f'package "{plain(self.name, 40)}": not a name of a package')
        if self.version.count("{revision}") != 1:
            raise ValueError(f'version "{plain(self.version, 40)}": must have {{revision}} in it, once')

    def variables(self, revision: str, filling: Mapping[str, str]) -> Mapping[str, str]:
        prefix, _, suffix = self.version.partition("{revision}")
        return {
            "recipe": "package",
            "manager": self.manager,
            "package": word(self.name),
            "version_prefix": word(prefix),
            "version_suffix": word(suffix),
            "sudo": "'sudo -n'" if self.sudo else "''",
            "restart_words": argv(self.restart, filling),
            "health_words": argv(self.health, filling),
        }


@dataclass(frozen=True, slots=True)
class Command:
    """The company's own commands, run on the host; {revision}, {service} and {host} are filled, each one word."""

    deploy: tuple[str, ...]
    state: tuple[str, ...] = ()
    """Prints the revision that runs; without one, it is the last that was deployed well."""
    health: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.deploy:
            raise ValueError("deploy: no command: give it as a list of words")

    def variables(self, revision: str, filling: Mapping[str, str]) -> Mapping[str, str]:
        return {
            "recipe": "command",
            "deploy_words": argv(self.deploy, filling),
            "state_words": argv(self.state, filling),
            "restart_words": argv(self.restart, filling),
            "health_words": argv(self.health, filling),
        }


Recipe = ReleaseDir | Package | Command


@dataclass(frozen=True, slots=True)
class Way:
    """How one service is reached and changed on its hosts."""

    service: str
    recipe: Recipe
    directory: str = "~/.pithead/{service}"
    """Where the host keeps what it was told; {service} and {host} are filled. One for each host: where several
    share a home, it needs {host}."""
    command_s: int = 300
    """The longest that one command of the recipe may take on the host, seconds."""
    health_s: int = 5
    """The same of the health and the state command."""

    def __post_init__(self) -> None:
        if not is_identifier(self.service) or self.service in {".", ".."}:
            raise ValueError(f'service "{plain(self.service, 60)}": not a name of a service')
        if min(self.command_s, self.health_s) < 1:
            raise ValueError("command_s and health_s: must be at least 1 second")
        filling = {"service": self.service, "host": "host"}
        path(self.on("host"))
        self.recipe.variables("r1", filling)

    def on(self, host: str) -> str:
        """The directory on `host`."""
        directory = self.directory or "~/.pithead/{service}"
        return directory.replace("{service}", self.service).replace("{host}", host)

    def variables(self, host: str, revision: str) -> Mapping[str, str]:
        """What the helper must know, as shell words by name."""
        return {
            "host": word(host),
            "service": word(self.service),
            "directory": path(self.on(host)),
            "command_s": str(self.command_s),
            "health_s": str(self.health_s),
            **self.recipe.variables(revision, {"service": self.service, "host": host}),
        }
