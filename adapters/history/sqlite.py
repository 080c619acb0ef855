"""The history in SQLite: one writer, each record a transaction that is on disk when the call returns."""

import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from adapters.exact import to_json
from adapters.history import balances, budgets, judged, papers, reads, retention, usage, writes
from adapters.history.chain import Verified, walk
from adapters.history.faults import at_fault, explained, out_of_room, reading
from adapters.history.lock import WriterLock
from adapters.history.opening import open_database
from adapters.history.place import MOUNTS, prepare
from adapters.history.reserve import Reserve
from adapters.history.rows import EVENT_COLUMNS
from adapters.history.sink import Sink, to_syslog
from pipeline.commands import Receipt
from pipeline.docket import Paper
from pipeline.events import Event
from pipeline.judge.look import Calibration, LookRecord, Recorded
from pipeline.judge.trial import Kept, TrialRecord
from pipeline.lifecycle import Rollout
from pipeline.ports import Changes, Clock, HistoryError, Memory
from pipeline.readiness.callers import Caller
from pipeline.readiness.use import Use
from pipeline.slo.slices import Balance, Hour, Slice, Target, Zone
from pipeline.view import HistoryPage, HistoryQuery

REFILL_EVERY_S = 60.0

log = logging.getLogger(__name__)


class SqliteHistory:
    """`History` in the file `path`; beside it lie SQLite's own files, a lock file and a reserve of 8 MB.

    Nothing is touched before `start`. All calls come from the thread that started it.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock | None = None,
        *,
        sink: Sink = to_syslog,
        reserve: Reserve | None = None,
        mounts: Path = MOUNTS,
    ) -> None:
        self.path = path
        self._now = clock.now if clock else _utc_now
        self._monotonic = clock.monotonic if clock else time.monotonic
        self._sink = sink
        self._mounts = mounts
        self._lock = WriterLock(Path(f"{path}.lock"))
        self._reserve = reserve or Reserve(Path(f"{path}.reserve"))
        self._refill_at = 0.0
        self._sweep_at = 0.0
        self._db: sqlite3.Connection | None = None
        self._aside: list[Changes] = []

    def claim(self) -> None:
        """Take the writer's lock, before anything is read. Raises `HistoryError` where another controller has it."""
        prepare(self.path, self._mounts)
        try:
            self._lock.take()
        except OSError as exc:
            raise HistoryError(f"{self._lock.path}: {exc.strerror}: make its folder writable for this user") from exc

    def start(self) -> Memory:
        self.claim()
        try:
            return self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self) -> Memory:
        with reading(self.path):
            try:
                token = self._take_token()
            except sqlite3.Error as exc:
                # A controller that cannot start rolls nothing back: it is worth the reserve.
                if not out_of_room(exc):
                    raise
                self._reserve.give_up()
                token = self._take_token()
            self._refill()
            return reads.memory(self._opened(), token)

    def _take_token(self) -> int:
        if self._db is None:
            self._db = open_database(self.path)
        with self._transaction() as db:
            return writes.next_token(db, self._now())

    def record(self, changes: Changes, *, safe: bool = False) -> tuple[Event, ...]:
        if not changes:
            return ()
        try:
            try:
                return self._keep(changes)
            except sqlite3.Error as exc:
                if not (safe and out_of_room(exc)):
                    raise
                self._reserve.give_up()
                return self._keep(changes)
        except sqlite3.Error as exc:
            failure = explained(self.path, exc)
            if safe and not at_fault(exc):
                return self._put_aside(changes, failure)
            raise failure from exc
        except (ValueError, OverflowError) as exc:
            raise HistoryError(f"{self.path}: {exc}: report this, it is a fault of pithead") from exc

    def _keep(self, changes: Changes) -> tuple[Event, ...]:
        self._join()
        with self._transaction() as db:
            events = writes.write(db, changes, self._now())
        self._refill()
        self._sweep()
        return events

    def _join(self) -> None:
        """Write what the second sink took, in its order."""
        while self._aside:
            try:
                with self._transaction() as db:
                    writes.write(db, self._aside[0], self._now())
            except (sqlite3.Error, ValueError, OverflowError) as exc:
                # One that can never be kept stays in the second sink, and must not bar what comes after it.
                if not at_fault(exc):
                    raise
                log.error("only in the system log, the history cannot take it: %s", exc)
            del self._aside[0]

    def _put_aside(self, changes: Changes, failure: HistoryError) -> tuple[Event, ...]:
        """To the second sink, and to the database with the next record that succeeds."""
        mark = f"first kept in the system log: {failure}"
        marked = tuple(replace(event, evidence=(*event.evidence, mark)) for event in changes.events)
        changes = replace(changes, events=marked)
        # A log line has limits, and samples are no part of an audit.
        try:
            self._sink(to_json(replace(changes, trials=(), looks=(), evidence=(), recorded=())))
        except OSError as exc:
            raise HistoryError(f"{failure}; nor does the system log take it ({exc})") from exc
        self._aside.append(changes)
        return marked

    def receipt(self, request: str) -> Receipt | None:
        for changes in self._aside:
            if changes.request == request and changes.receipt is not None:
                return changes.receipt
        with reading(self.path):
            return reads.receipt(self._opened(), request)

    def events(self, query: HistoryQuery) -> HistoryPage:
        with reading(self.path):
            return reads.events(self._opened(), query)

    def releases(self, service: str, limit: int) -> tuple[Rollout, ...]:
        with reading(self.path):
            return reads.releases(self._opened(), service, limit)

    def slices(self, service: str, since: datetime, until: datetime) -> tuple[Slice, ...]:
        with reading(self.path):
            return budgets.slices(self._opened(), service, since, until)

    def hours(self, since: datetime, service: str = "") -> tuple[Hour, ...]:
        with reading(self.path):
            return budgets.hours(self._opened(), since, service)

    def downtime(self, service: str, since: datetime) -> tuple[Slice, ...]:
        with reading(self.path):
            return budgets.downtime(self._opened(), service, since)

    def measured(self, service: str, slo: str) -> tuple[datetime, datetime] | None:
        with reading(self.path):
            return budgets.measured(self._opened(), service, slo)

    def since(self, service: str, slo: str, since: datetime, limit: int) -> tuple[Slice, ...]:
        with reading(self.path):
            return budgets.since(self._opened(), service, slo, since, limit)

    def balance(self, service: str) -> Balance | None:
        with reading(self.path):
            return balances.balance(self._opened(), service)

    def targets(self) -> tuple[Target, ...]:
        with reading(self.path):
            return budgets.targets(self._opened())

    def zones(self) -> tuple[Zone, ...]:
        with reading(self.path):
            return budgets.zones(self._opened())

    def uses(self, service: str, since: datetime) -> tuple[Use, ...]:
        with reading(self.path):
            return usage.uses(self._opened(), service, since)

    def callers(self, service: str, since: datetime) -> tuple[Caller, ...]:
        with reading(self.path):
            return usage.callers(self._opened(), service, since)

    def trial(self, release: str, wave: int) -> TrialRecord | None:
        with reading(self.path):
            return judged.trial(self._opened(), release, wave)

    def kept(self, release: str, wave: int) -> Kept | None:
        with reading(self.path):
            return judged.kept(self._opened(), release, wave)

    def looks(self, release: str, wave: int, after: int, limit: int) -> tuple[LookRecord, ...]:
        with reading(self.path):
            return judged.looks(self._opened(), release, wave, after, limit)

    def recorded(self, service: str, since: datetime, limit: int) -> tuple[Recorded, ...]:
        with reading(self.path):
            return judged.recorded(self._opened(), service, since, limit)

    def calibration(self, service: str) -> Calibration | None:
        with reading(self.path):
            return judged.calibration(self._opened(), service)

    def papers(self) -> tuple[Paper, ...]:
        with reading(self.path):
            return papers.papers(self._opened())

    def verify(self) -> Verified:
        """Walk the audit trail's hash chain from the first row on: about a second for 100,000 rows."""
        with reading(self.path):
            db = self._opened()
            # Bytes that are no text must show as an altered row, not as an error.
            db.text_factory = lambda raw: raw.decode("utf-8", "replace")
            try:
                return walk(db.execute(f"SELECT {EVENT_COLUMNS}, hash FROM events ORDER BY id"))  # noqa: S608
            finally:
                db.text_factory = str

    def backup(self, to: Path) -> None:
        """A copy as of now in the new file `to`, mode 0600; the database may be in use all the while."""
        with reading(self.path):
            try:
                os.close(os.open(to, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_RDWR, 0o600))
            except OSError as exc:
                raise HistoryError(f"{to}: {exc.strerror}: name a new file in a folder of your own") from exc
            try:
                copy = sqlite3.connect(to, isolation_level=None)
                try:
                    self._opened().backup(copy)
                finally:
                    copy.close()
            except BaseException:
                to.unlink(missing_ok=True)
                raise

    def close(self) -> None:
        """Let go of the database and the lock; `start` takes them again."""
        if self._db is not None:
            self._db.close()
            self._db = None
        self._lock.release()

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            raise HistoryError(f"{self.path}: is not open: start it first")
        return self._db

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        db = self._opened()
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
            db.execute("COMMIT")
        except BaseException:
            # A full disk has rolled back by itself.
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def _refill(self) -> None:
        if not self._reserve.kept and self._monotonic() >= self._refill_at:
            self._refill_at = self._monotonic() + REFILL_EVERY_S
            self._reserve.fill()

    def _sweep(self) -> None:
        """Forget old samples; what was just recorded is kept whatever becomes of it."""
        if self._monotonic() < self._sweep_at:
            return
        self._sweep_at = self._monotonic() + retention.SWEEP_EVERY_S
        try:
            with self._transaction() as db:
                if retention.forget(db, self._now()):
                    self._sweep_at = self._monotonic() + retention.BEHIND_S
        except sqlite3.Error as exc:
            log.warning("old samples stay for another minute: %s", explained(self.path, exc))


def _utc_now() -> datetime:
    return datetime.now(UTC)
