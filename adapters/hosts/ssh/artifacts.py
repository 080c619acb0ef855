"""Where a build comes from: a folder of the controller's machine, a URL, or it is on the host already."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.hosts.ssh.words import word
from pipeline.text import plain

_READ_BYTES = 1024 * 1024
_HEX = frozenset("0123456789abcdef")


class NoArtifact(Exception):
    """The build cannot be had, or is not what its checksum says; the text is one plain line."""


@dataclass(frozen=True, slots=True)
class Directory:
    """A file for each revision in a folder of the controller's machine, copied over the connection to the host."""

    path: str
    name: str = "{revision}.tar.gz"
    """Of .tar, .tar.gz, .tgz, .tar.xz or .zip; any other is put into the release as it is, named as the service.

    Where `NAME.sha256` stands beside it (as `sha256sum` writes it), the file must be of that checksum.
    """

    def __post_init__(self) -> None:
        _named(self.name)

    def file(self, revision: str) -> Path:
        return Path(self.path) / self.name.replace("{revision}", revision)

    def variables(self, revision: str) -> Mapping[str, str]:
        """For the worker, as shell words."""
        return {"artifact": "directory", "artifact_name": word(self.name.replace("{revision}", revision))}


@dataclass(frozen=True, slots=True)
class Url:
    """Fetched by the host itself, with curl or wget; its checksum comes from one of two places."""

    template: str
    """`https://builds.example/cart-{revision}.tar.gz`"""
    sha256_template: str = ""
    """The URL of its checksum, or of a list of them as `sha256sum` writes it; fetched by the host too."""
    sha256_file: str = ""
    """Such a list on the controller's machine."""

    def __post_init__(self) -> None:
        _named(self.template)
        for url in filter(None, (self.template, self.sha256_template)):
            if not url.startswith(("https://", "http://")):
                raise ValueError(f'artifact "{plain(url, 100)}": must begin with https:// or http://')
        if bool(self.sha256_template) == bool(self.sha256_file):
            raise ValueError("artifact: give one of sha256_template and sha256_file")

    def variables(self, revision: str) -> Mapping[str, str]:
        """For the worker, as shell words."""
        url = self.template.replace("{revision}", revision)
        return {
            "artifact": "url",
            "artifact_name": word(url.partition("?")[0].rpartition("/")[2]),
            "url": word(url),
            "sum_url": word(self.sha256_template.replace("{revision}", revision)),
        }

    def digest(self, revision: str) -> str:
        """From the controller's own list; "" if the host fetches it. Blocks. Raises `NoArtifact`."""
        if not self.sha256_file:
            return ""
        name = self.template.replace("{revision}", revision).partition("?")[0].rpartition("/")[2]
        return listed(Path(self.sha256_file), name)


@dataclass(frozen=True, slots=True)
class There:
    """Somebody else puts `releases/REVISION` in place."""

    def variables(self, revision: str) -> Mapping[str, str]:
        """For the worker, as shell words."""
        return {"artifact": "there", "artifact_name": "''"}


Artifact = Directory | Url | There


def _named(template: str) -> None:
    if "{revision}" not in template:
        raise ValueError(f'artifact "{plain(template, 100)}": must have {{revision}} in it')
    word(template)


def digest_of(file: Path) -> str:
    """SHA-256 of `file` in hex, checked against `FILE.sha256` if there is one. Blocks. Raises `NoArtifact`."""
    digest = hashlib.sha256()
    try:
        with file.open("rb") as reader:
            while part := reader.read(_READ_BYTES):
                digest.update(part)
    except OSError as error:
        raise NoArtifact(plain(f"no artifact {file}: {error.strerror or error}")) from None
    beside = file.with_name(file.name + ".sha256")
    if beside.exists() and (said := listed(beside, file.name)) != digest.hexdigest():
        raise NoArtifact(plain(f"wrong checksum: {file} has {digest.hexdigest()}, not {said}"))
    return digest.hexdigest()


def listed(sums: Path, name: str) -> str:
    """The checksum of `name` in the file `sums`, as `picked` finds it. Raises `NoArtifact`."""
    try:
        text = sums.read_text("utf-8", "replace")
    except OSError as error:
        raise NoArtifact(plain(f"no checksums {sums}: {error.strerror or error}")) from None
    return picked(text, name, str(sums))


def picked(text: str, name: str, where: str) -> str:
    """The checksum of `name` in a list of `DIGEST  NAME`, or the only one that is in it. Raises `NoArtifact`."""
    rows = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    found = [row[0].lower() for row in rows if row[1:] and row[1].strip().lstrip("*") == name]
    if not found and len(rows) == 1:
        found = [rows[0][0].lower()]
    if not found or len(found[0]) != 64 or not _HEX.issuperset(found[0]):
        raise NoArtifact(plain(f"no sha256 of {name} in {where}"))
    return found[0]
