"""Long arithmetic that hears signals at once, and is seen to be alive: not only where it waits for something."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ends_at_once() -> Iterator[None]:
    """Inside, SIGINT, SIGTERM and SIGHUP end the command with 128 + their number, wherever it is.

    They raise, so that what was begun is cleared away; a second one does not wait for that.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _leave) for number in ENDS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    for each in ENDS:
        signal.signal(each, _leave_now)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)


def _leave_now(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    os._exit(128 + number)


@contextmanager
def beats(beat: Callable[[], None], every_s: float) -> Iterator[None]:
    """Inside, `beat` is called every so often, between two steps of whatever is worked out."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, lambda number, frame: beat())
    signal.setitimer(signal.ITIMER_REAL, every_s, every_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def in_a_worker() -> None:
    """What a worker process makes of signals, and of a parent that is gone: nobody waits for its results then."""
    # Ctrl+C reaches every process of the terminal; the one that was started by it decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    import multiprocessing
    from multiprocessing.connection import wait

    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
