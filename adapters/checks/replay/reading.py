"""A recording's file, read whole and bounded: HAR by its name or its first line, JSON lines otherwise."""

import os
import stat
from pathlib import Path

import msgspec

from adapters.checks.jsons import NotJson, decoded
from adapters.checks.replay.har import har
from adapters.checks.replay.lines import lines
from adapters.checks.replay.recording import FILE_LIMIT, Recording, RecordingError, named
from pipeline.text import plain

_MARK = b"\xef\xbb\xbf"


def read(path: str, most: int | None = None) -> Recording:
    """The first `most` requests of the file; raises `RecordingError`. It blocks: call it in a thread."""
    name = plain(Path(path).name, 100)
    try:
        return parsed(_raw(path), most, har_named=path.lower().endswith(".har"))
    except OSError as error:
        raise RecordingError(f"{name}: {error.strerror or error}") from None
    except ValueError as error:
        # Of a name that no file can have.
        raise RecordingError(f"{name}: {error}") from None
    except RecordingError as error:
        raise RecordingError(f"{name}: {error}") from None


def parsed(raw: bytes, most: int | None = None, *, har_named: bool = False) -> Recording:
    """A recording of either form; raises `RecordingError`."""
    raw = raw.removeprefix(_MARK)
    recording = har(raw, most) if har_named or _begins_a_har(raw) else lines(raw, most)
    if not recording.exchanges:
        raise RecordingError("holds no request")
    return named(recording)


def _raw(path: str) -> bytes:
    # A pipe of that name would never open otherwise.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise RecordingError("not a file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            raw = file.read(FILE_LIMIT + 1)
    finally:
        os.close(descriptor)
    if len(raw) > FILE_LIMIT:
        raise RecordingError(f"more than {FILE_LIMIT // 1024 // 1024} MiB: record less of it")
    return raw


def _begins_a_har(raw: bytes) -> bool:
    """Whether it is JSON with a "log", all of it on one line or on many."""
    start = raw.lstrip()
    first = start.partition(b"\n")[0]
    try:
        return "log" in decoded(first, dict[str, msgspec.Raw])
    except NotJson:
        return first.strip() == b"{" or start[:200].replace(b" ", b"").replace(b"\n", b"").startswith(b'{"log":')
