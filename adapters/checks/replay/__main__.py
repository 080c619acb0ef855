"""`python -m adapters.checks.replay FILE > COPY`: the recording without its credentials, as JSON lines."""

import sys

from adapters.checks.replay.reading import read
from adapters.checks.replay.recording import RecordingError
from adapters.checks.replay.secrets import scrubbed


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m adapters.checks.replay FILE > COPY\n")
        return 2
    try:
        sys.stdout.buffer.write(scrubbed(read(arguments[0])))
    except RecordingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
