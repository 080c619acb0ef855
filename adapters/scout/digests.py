"""The SHA-256 of a build where builds come from, read as a deploy would."""

import asyncio
from functools import partial
from pathlib import Path

from adapters.hosts.ssh.artifacts import Artifact, Directory, NoArtifact, Url, digest_of, listed, picked
from adapters.hosts.ssh.recipes import ReleaseDir
from adapters.means import Means
from adapters.threads import in_thread
from pipeline.readiness.seen import Digest
from pipeline.text import plain

DEADLINE_S = 10.0
SUM_S = 600.0
"""To read a build of which no checksum is written down."""
SUMS_LIMIT = 4 * 1024 * 1024
MOST_KEPT = 1_000


class Digests:
    """Remembers the sums of builds that it had to read whole."""

    def __init__(self) -> None:
        self._summed: dict[Path, tuple[tuple[int, int], str]] = {}

    async def of(self, source: Artifact | None, revision: str) -> Digest | None:
        """None where builds have no digest before they are on a host. Never raises."""
        try:
            if isinstance(source, Directory):
                return Digest(await self._in_folder(source.file(revision)))
            if isinstance(source, Url):
                return Digest(await _listed(source, revision))
        except NoArtifact as fault:
            return Digest(fault=plain(str(fault)))
        except TimeoutError:
            return Digest(fault=f"the digest of {revision} was not read in time")
        except OSError as error:
            return Digest(fault=plain(f"the digest of {revision}: {error.strerror or error}"))
        return None

    async def _in_folder(self, file: Path) -> str:
        """As it is written beside the build, else of the build itself."""
        beside = file.with_name(file.name + ".sha256")
        if await in_thread(beside.exists, DEADLINE_S):
            return await in_thread(partial(listed, beside, file.name), DEADLINE_S)
        try:
            stat = await in_thread(file.stat, DEADLINE_S)
        except OSError as error:
            raise NoArtifact(plain(f"no artifact {file}: {error.strerror or error}")) from None
        version = (stat.st_size, stat.st_mtime_ns)
        known = self._summed.get(file)
        if known is None or known[0] != version:
            known = (version, await in_thread(partial(digest_of, file), SUM_S))
            # The newest last, and the oldest goes: a build that is asked for again is summed again.
            newest = list({**self._summed, file: known}.items())[-MOST_KEPT:]
            self._summed = dict(newest)
        return known[1]


def source_of(means: Means) -> Artifact | None:
    """None where builds are not ours to bring."""
    recipe = means.way.recipe if means.way is not None else None
    return recipe.artifact if isinstance(recipe, ReleaseDir) else None


async def _listed(source: Url, revision: str) -> str:
    if source.sha256_file:
        return await in_thread(partial(source.digest, revision), DEADLINE_S)
    # Loaded where it is needed: a controller without such builds starts sooner.
    from adapters import http

    url = source.sha256_template.replace("{revision}", revision)
    name = source.template.replace("{revision}", revision).partition("?")[0].rpartition("/")[2]
    body = bytearray()
    try:
        # Redirects are followed, as curl on the hosts does.
        async with (
            asyncio.timeout(DEADLINE_S),
            http.client(timeout_s=DEADLINE_S, connections=1) as client,
            client.stream("GET", url, follow_redirects=True) as answer,
        ):
            if answer.status_code != 200:
                raise NoArtifact(plain(f"{url}: HTTP {answer.status_code}"))
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > SUMS_LIMIT:
                    raise NoArtifact(plain(f"{url}: more than {SUMS_LIMIT // 1024**2} MiB"))
    except (http.HTTPError, http.InvalidURL, http.StreamError, ValueError) as error:
        raise NoArtifact(plain(f"{url}: {str(error) or type(error).__name__}", 200)) from None
    return picked(body.decode("utf-8", "replace"), name, url)
