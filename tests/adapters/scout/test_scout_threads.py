"""Files on a share that hangs: each costs a thread until it has ended by itself, and they are not many."""

import asyncio
import threading

import pytest

from adapters import threads
from adapters.threads import in_thread


async def test_threads_that_hang_are_few_and_work_goes_on_once_they_have_ended(monkeypatch) -> None:
    monkeypatch.setattr(threads, "MOST_HANGING", 2)
    monkeypatch.setattr(threads, "_hanging", set())
    release, begun = threading.Event(), []

    def hang() -> None:
        begun.append(threading.current_thread())
        release.wait(30.0)

    for _ in range(5):
        with pytest.raises(TimeoutError):
            await in_thread(hang, 0.0)
    with pytest.raises(TimeoutError):
        await in_thread(lambda: 7, 10.0)
    release.set()
    for thread in list(threads._hanging):
        await asyncio.to_thread(thread.join, 30.0)
    assert len(begun) == 2
    assert await in_thread(lambda: 7, 10.0) == 7


async def test_what_the_work_raises_is_raised() -> None:
    def broken() -> None:
        raise FileNotFoundError("gone")

    with pytest.raises(FileNotFoundError, match="gone"):
        await in_thread(broken, 10.0)
