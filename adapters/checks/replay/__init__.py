"""Recorded traffic as a staging check: read, cleaned of secrets, sent, compared."""

from adapters.checks.replay.paths import PathError, parsed_path
from adapters.checks.replay.plan import lint
from adapters.checks.replay.reading import parsed, read
from adapters.checks.replay.recording import Recording, RecordingError
from adapters.checks.replay.run import run_replay
from adapters.checks.replay.secrets import credentials, scrubbed

__all__ = [
    "PathError",
    "Recording",
    "RecordingError",
    "credentials",
    "lint",
    "parsed",
    "parsed_path",
    "read",
    "run_replay",
    "scrubbed",
]
