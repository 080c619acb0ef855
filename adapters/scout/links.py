"""A link that a service states, opened once: a page of HTTP or HTTPS, or the path of a file. Nothing is followed."""

import asyncio
import re
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from adapters.threads import in_thread
from pipeline.readiness.seen import Answer
from pipeline.text import PlainText, plain

DEADLINE_S = 10.0
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_GONE = frozenset({404, 410})
_NO_HEAD = frozenset({400, 403, 404, 405, 501})
"""Of a server that gives the page, and answers no HEAD, or answers it otherwise."""

Found = tuple[Answer, PlainText]


async def opened(link: str, folder: Path, deadline_s: float = DEADLINE_S) -> Found:
    """Whether it opens, and why not; `folder` is where a relative path begins. Never raises, reads no body."""
    parts = _parts(link)
    if parts is None:
        return Answer.UNKNOWN, plain("it is no link that can be read")
    if parts.scheme.lower() in ("http", "https") and parts.hostname:
        return await _page(link, deadline_s)
    if _SCHEME.match(link):
        return Answer.UNKNOWN, plain("only http, https and paths of files are opened")
    return await _file(folder / link, deadline_s)


def _parts(link: str) -> SplitResult | None:
    try:
        return urlsplit(link)
    except ValueError:
        return None


async def _page(link: str, deadline_s: float) -> Found:
    # Loaded when there is a page to open: a controller without one starts sooner.
    from adapters import http

    try:
        async with asyncio.timeout(deadline_s), http.client(timeout_s=deadline_s, connections=1) as client:
            for method in ("HEAD", "GET"):
                async with client.stream(method, link, headers={"User-Agent": "pithead"}) as answer:
                    status = answer.status_code
                if status not in _NO_HEAD:
                    break
    except TimeoutError:
        return Answer.UNKNOWN, plain(f"no answer in {deadline_s:g} s")
    except http.TimeoutException:
        return Answer.UNKNOWN, plain(f"no answer in {deadline_s:g} s")
    except (http.HTTPError, http.InvalidURL, http.StreamError, OSError, ValueError) as error:
        return Answer.UNKNOWN, plain(f"it cannot be reached: {str(error) or type(error).__name__}", 200)
    if 200 <= status < 400:
        return Answer.OPEN, plain(f"HTTP {status}")
    return (Answer.GONE if status in _GONE else Answer.UNKNOWN), plain(f"HTTP {status}")


async def _file(path: Path, deadline_s: float) -> Found:
    try:
        await in_thread(path.stat, deadline_s)
    except TimeoutError:
        return Answer.UNKNOWN, plain(f"no answer in {deadline_s:g} s: see whether the share that it is on answers")
    except (FileNotFoundError, NotADirectoryError):
        return Answer.GONE, plain(f"no file {path}")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        return Answer.UNKNOWN, plain(f"{path}: {why}")
    return Answer.OPEN, plain("it is there")
