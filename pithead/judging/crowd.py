"""Many independent jobs on all cores, with an eye on Ctrl+C: workers are ended, not waited for."""

import asyncio
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from pithead.exits import Failure
from pithead.judging.ending import in_a_worker

J = TypeVar("J")
R = TypeVar("R")

WORTH_S = 2.0
"""Less work than this is done here: workers take about as long to begin."""

_work: Callable[[Any], Any] | None = None


def workers() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


async def each(
    work: Callable[[J], R], jobs: Sequence[J], tell: Callable[[int], None], *, cores: int, clock: Callable[[], float]
) -> list[R]:
    """`work` of every job, in the jobs' order; `tell` hears how many are done.

    The first jobs are done here, and tell whether the others are worth more processes.

    Raises:
        Failure: a worker has died.
    """
    results: list[R] = []
    began = clock()
    for done, job in enumerate(jobs, start=1):
        results.append(work(job))
        tell(done)
        # Where Ctrl+C is heard.
        await asyncio.sleep(0)
        left = len(jobs) - done
        if cores > 1 and left > 1 and (clock() - began) / done * left > WORTH_S:
            break
    return results + await _shared(work, jobs[len(results) :], tell, len(results), cores)


async def _shared(
    work: Callable[[J], R], jobs: Sequence[J], tell: Callable[[int], None], before: int, cores: int
) -> list[R]:
    if not jobs:
        return []
    # A forked worker has the recorded history without a copy of its own.
    forks = "fork" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("fork" if forks else "spawn")
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(min(cores, len(jobs)), context, initializer=_begin, initargs=(work,))
    done = before

    def one_more(future: asyncio.Future[R]) -> None:
        nonlocal done
        if not future.cancelled() and future.exception() is None:
            done += 1
            tell(done)

    futures: list[asyncio.Future[R]] = []
    try:
        for job in jobs:
            futures.append(_awaited(pool.submit(_do, job)))
            futures[-1].add_done_callback(one_more)
        results: list[R] = await asyncio.gather(*futures)
    except BaseException as ended:
        for future in futures:
            future.cancel()
        for child in set(multiprocessing.active_children()) - others:
            child.kill()
        if isinstance(ended, BrokenExecutor):
            raise Failure("judge", "a worker process died", "see whether memory ran out, and try again") from None
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return results


def _awaited(source: Future[R]) -> asyncio.Future[R]:
    """As `asyncio.wrap_future`, but cancelling it leaves `source` alone.

    A pool whose workers are killed fails every future that it still has, and stumbles over cancelled ones.
    """
    loop = asyncio.get_running_loop()
    mine: asyncio.Future[R] = loop.create_future()

    def give() -> None:
        if mine.done():
            return
        error = source.exception()
        if error is not None:
            mine.set_exception(error)
        else:
            mine.set_result(source.result())

    def over(_: Future[R]) -> None:
        # A loop that is closed meanwhile wants nothing any more.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(give)

    source.add_done_callback(over)
    return mine


def _begin(work: Callable[[Any], Any]) -> None:
    in_a_worker()
    global _work  # noqa: PLW0603 - a worker has one task, handed over once
    _work = work


def _do(job: Any) -> Any:
    assert _work is not None  # noqa: S101
    return _work(job)
