"""How the command ends: the exit codes, and the one shape of an error."""

from enum import IntEnum


class Exit(IntEnum):
    DONE = 0
    REFUSED = 1
    """Refused, failed, or ended in a rollback."""
    USAGE = 2
    """The command line or the configuration is wrong; nothing was started."""
    UNKNOWN = 3
    """No controller answers, or nobody can know."""
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    """Whoever read our output has gone: what a shell makes of SIGPIPE."""


class GateExit(IntEnum):
    """Of `pithead gate`, for CI: every answer that is not known for certain stops a deploy."""

    OK = 0
    WARN = 1
    """It may deploy; a gate will close soon if nothing is done."""
    STOP = 2
    """Blocked or held. A wrong command line or configuration ends so too."""
    UNKNOWN = 3
    """Nobody can know: no controller, no data, no such service, a fault. Never a pass."""


class Failure(Exception):
    """Ends the command: one line `pithead: WHAT: WHY: MEND` on standard error, and `code`."""

    def __init__(self, what: str, why: str, mend: str, code: Exit = Exit.REFUSED) -> None:
        super().__init__(f"{what}: {why}: {mend}")
        self.code = code
