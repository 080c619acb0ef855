"""Where builds come from: a folder here, a web server, or the hosts themselves."""

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from glob import escape
from pathlib import Path

from adapters import http
from adapters.hosts.ssh.artifacts import Artifact, Directory, NoArtifact, Url
from adapters.threads import in_thread
from pipeline.model import Pool
from pipeline.text import is_identifier, plain
from pipeline.words import some
from pithead.reaching.hosts import Seen
from pithead.reaching.reached import Kind, Reached, Wrong, told

DEADLINE_S = 10.0
NEWEST = 3
MOST = 20_000
"""Files of a folder that are looked at."""
SUMS_LIMIT = 4 * 1024 * 1024
_DIGEST = re.compile(r"[0-9a-fA-F]{64}\Z")
_NO_HEAD = frozenset({403, 405, 501})
"""Of a server that gives the build and answers no HEAD."""


async def artifact(service: str, its: Artifact, revision: str, seen: Sequence[Seen]) -> list[Reached]:
    """`revision` is what runs now, whose build must once have been there."""
    if isinstance(its, Directory):
        return await _directory(service, its)
    if isinstance(its, Url):
        return await _url(service, its, revision)
    wrong = [
        Wrong(f"{one.host.name} has no release to run", "put builds in its releases/REVISION, or say another artifact")
        for one in seen
        if one.look.reached and not one.look.releases
    ]
    reached = [one for one in seen if one.look.reached]
    on = f"releases on {len(reached)} of {len(seen)} hosts"
    return told(Kind.ARTIFACT, service, "on the hosts", wrong, on)


async def _directory(service: str, its: Directory) -> list[Reached]:
    mend = f"make it readable for the controller, or correct artifact.directory of {service}"
    try:
        builds = await in_thread(lambda: _builds(its), DEADLINE_S)
    except TimeoutError:
        wrong = [Wrong(f"not read in {DEADLINE_S:g} s", "see whether the share that it is on answers")]
    except OSError as error:
        wrong = [Wrong(error.strerror or str(error), mend)]
    else:
        wrong = [] if builds else [Wrong(f"no build named {its.name}", "build one there, or correct artifact.name")]
        newest = f"{len(builds)} build{'' if len(builds) == 1 else 's'}, the newest {some(builds[:NEWEST])}"
        return told(Kind.ARTIFACT, service, its.path, wrong, newest)
    return told(Kind.ARTIFACT, service, its.path, wrong, "")


def _builds(its: Directory) -> list[str]:
    """Revisions, the newest first. Raises `OSError`."""
    folder = Path(its.path)
    next(folder.iterdir(), None)
    before, *rest = its.name.split("{revision}")
    pattern = re.compile(re.escape(before) + "(?P<revision>[^/]+)" + "(?P=revision)".join(map(re.escape, rest)))
    found: list[tuple[float, str]] = []
    for file in folder.glob("*".join(map(escape, (before, *rest)))):
        match = pattern.fullmatch(str(file.relative_to(folder)))
        if match is not None and is_identifier(match["revision"]) and not file.name.endswith(".sha256"):
            with suppress(OSError):
                found.append((file.stat().st_mtime, match["revision"]))
        if len(found) >= MOST:
            break
    return [revision for _, revision in sorted(found, reverse=True)]


async def _url(service: str, its: Url, revision: str) -> list[Reached]:
    url = its.template.replace("{revision}", revision)
    async with http.client(connections=1, timeout_s=DEADLINE_S) as client:
        wrong = [*await _sums(its, revision, client), *await _build(url, client)]
    return told(Kind.ARTIFACT, service, its.template, wrong, f"{revision} is there, with its checksum")


async def _sums(its: Url, revision: str, client: http.AsyncClient) -> list[Wrong]:
    if its.sha256_file:
        try:
            await in_thread(lambda: its.digest(revision), DEADLINE_S)
        except TimeoutError:
            return [Wrong(f"{its.sha256_file} not read in {DEADLINE_S:g} s", "see whether its share answers")]
        except NoArtifact as error:
            return [Wrong(str(error), "add it there, or correct artifact.sha256_file")]
        return []
    url = its.sha256_template.replace("{revision}", revision)
    status, body = await _asked("GET", url, client)
    mend = "publish the checksum beside each build, or correct artifact.sha256_url"
    if status != 200:
        return [Wrong(f"{url}: {_status(status, body)}", mend)]
    rows = [line.split() for line in body.splitlines() if line.strip()]
    name = its.template.replace("{revision}", revision).partition("?")[0].rpartition("/")[2]
    named = [row for row in rows if len(row) > 1 and row[-1].lstrip("*") == name] or rows[:1] * (len(rows) == 1)
    if not named or _DIGEST.match(named[0][0]) is None:
        return [Wrong(f"{url}: no sha256 of {name} in it", mend)]
    return []


async def _build(url: str, client: http.AsyncClient) -> list[Wrong]:
    """The hosts fetch it, not we; but where it is gone for us, it hardly is there for them."""
    status, said = await _asked("HEAD", url, client)
    if status == 200 or status in _NO_HEAD:
        return []
    return [Wrong(f"{url}: {_status(status, said)}", "keep builds that run, or correct artifact.url")]


async def _asked(method: str, url: str, client: http.AsyncClient) -> tuple[int, str]:
    """(status, body), or (0, why there is none); redirects are followed, as curl on the hosts does."""
    try:
        async with client.stream(method, url, follow_redirects=True) as answer:
            body = bytearray()
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > SUMS_LIMIT:
                    break
            return answer.status_code, bytes(body).decode("utf-8", "replace")
    except http.TimeoutException:
        return 0, f"no answer in {DEADLINE_S:g} s"
    except http.ConnectError:
        return 0, "no connection"
    except (http.HTTPError, http.InvalidURL, http.StreamError, ValueError) as error:
        return 0, plain(f"{type(error).__name__}: {error}", 150)


def _status(status: int, said: str) -> str:
    return f"HTTP {status}" if status else said


def running(seen: Sequence[Seen], configured: str) -> str:
    """What most production hosts run, or what the configuration says."""
    counts = Counter(one.look.revision for one in seen if one.host.pool is Pool.PRODUCTION and one.look.revision)
    return counts.most_common(1)[0][0] if counts else configured
