"""Leaving when the terminal has gone.

The toolkit writes from a thread that dies of the first failed write; the rest of it then waits for that thread
for ever. With the terminal gone there is nothing to restore, so the whole process goes with the thread.
"""

import os
import signal
import threading

WRITER = "textual-output"
"""The toolkit's name for that thread."""


def leave_with_the_terminal() -> None:
    """From now on a failed write of the screen ends this process as SIGHUP would."""
    usual = threading.excepthook

    def hook(args: threading.ExceptHookArgs) -> None:
        if args.thread is not None and args.thread.name == WRITER and isinstance(args.exc_value, OSError):
            # Not sys.exit: the main thread may be waiting for this one already.
            os._exit(128 + signal.SIGHUP)
        usual(args)

    threading.excepthook = hook
