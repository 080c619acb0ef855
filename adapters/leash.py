"""A check's command on a leash: `python leash.py SECONDS COMMAND ...`, as the first process of its session.

It starts the command, tells over standard input (a socket to the controller) how it ended, and then ends its whole
process group, itself with it: after the command, at the deadline, or once the controller's end of the socket closes.
So a controller that is killed leaves nothing running. It runs by itself and imports the standard library only.
"""

import os
import select
import signal
import sys
import time

LINE = 0
"""Descriptor of the socket."""
_SHARED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
"""A script that tells its whole group to end (`kill 0`) does not mean its leash."""


def main(arguments: list[str]) -> None:
    until = time.monotonic() + float(arguments[0])
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, *_SHARED):
        # A handler, as what is ignored would stay ignored in the command.
        signal.signal(number, lambda *_: None)
    # Set by Python itself where there is no locale; the command is to find what it was given.
    os.environ.pop("LC_CTYPE", None)
    try:
        pid = os.posix_spawnp(
            arguments[1],
            arguments[1:],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)],
            setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
        )
    except OSError as error:
        os.write(LINE, b"errno %d" % (error.errno or 0))
        return
    while (left_s := until - time.monotonic()) > 0:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            os.write(LINE, b"exit %d" % os.waitstatus_to_exitcode(status))
            return
        ready, _, _ = select.select([LINE, woken], [], [], left_s)
        if LINE in ready:
            # The controller never says anything: its end is closed.
            return
        if woken in ready:
            os.read(woken, 4096)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    finally:
        os.killpg(0, signal.SIGKILL)
