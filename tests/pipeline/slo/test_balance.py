"""A balance changes no report: taken up with what came after it, or passed over, it says what the slices say."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.history import retention
from adapters.history.retention import SLICES_FOR
from adapters.history.sqlite import SqliteHistory
from pipeline.docket import Correction, CorrectionKind
from pipeline.model import Service
from pipeline.ports import Changes
from pipeline.slo.balance import MOST_SLICES, carried, opened, written
from pipeline.slo.rebuilt import rebuilt
from pipeline.slo.rings import Counts, Ring
from pipeline.slo.rules import PaybackRules
from pipeline.slo.slices import Slice
from pipeline.slo.tally import Tally
from tests.pipeline.memory_books import MemoryBooks
from tests.pipeline.slo.test_books_tally import START, correction, piece, shop

MINUTE = timedelta(minutes=1)


def told(slice_s: int, days: float, rng: Random, begin: datetime = START) -> list[Slice]:
    """Of both objectives, with gaps and bad slices."""
    made, at = [], begin
    while at < begin + timedelta(days=days):
        draw = rng.random()
        if draw < 0.01:
            at += timedelta(seconds=slice_s * rng.randrange(1, 200))
        bad = 100 if draw > 0.99 else rng.randrange(3)
        made.append(piece(at, bad, 100, slice_s))
        if rng.random() < 0.95:
            made.append(piece(at, rng.randrange(60), 100, slice_s, "quick"))
        at += timedelta(seconds=slice_s)
    return made


def kept(*slices: Slice) -> MemoryBooks:
    books = MemoryBooks()
    books.keep_books(Changes(slices=slices))
    return books


def balanced(
    service: Service, books: MemoryBooks, now: datetime, corrections: tuple[Correction, ...] = ()
) -> MemoryBooks:
    """With the balance of a controller that was started just then."""
    balance = written(rebuilt(service, books, corrections, {}, now), now)
    assert balance is not None
    books.keep_books(Changes(balances=(balance,)))
    return books


@given(
    seed=st.integers(0, 10**6),
    slice_s=st.sampled_from([60, 300]),
    window_d=st.sampled_from([0.5, 7, 30]),
    cut=st.floats(0.01, 1),
    fixes=st.lists(st.tuples(st.floats(0, 1.9), st.floats(0.0001, 0.4), st.sampled_from(CorrectionKind)), max_size=2),
    later_s=st.integers(0, 40 * 86_400),
)
@settings(max_examples=10, deadline=None)
def test_taken_up_at_any_instant_it_says_what_a_tally_made_of_slices_says(
    seed: int,
    slice_s: int,
    window_d: float,
    cut: float,
    fixes: list[tuple[float, float, CorrectionKind]],
    later_s: int,
) -> None:
    service, rng = shop(slice_s, window_s=window_d * 86_400), Random(seed)
    slices = told(slice_s, 2, rng)
    first = slices[: max(int(len(slices) * cut), 1)]
    then = first[-1].start + timedelta(seconds=slice_s + 3)
    papers = tuple(
        correction(START + timedelta(days=begin), START + timedelta(days=begin + long), kind, number)
        for number, (begin, long, kind) in enumerate(fixes)
        if START + timedelta(days=begin + long) <= first[-1].start
    )
    books = balanced(service, kept(*first), then, papers)
    # A tick's slices are kept together, and end together.
    rest = [one for one in slices[len(first) :] if one.start >= first[-1].start + timedelta(seconds=slice_s)]
    books.keep_books(Changes(slices=tuple(rest)))
    now = slices[-1].start + timedelta(seconds=slice_s + 1 + later_s)
    again = rebuilt(service, books, papers, {}, now)
    quick = carried(service, books, papers, {}, now)
    assert (quick is None) is (
        max(sum(one.slo == slo for one in rest) for slo in ("availability", "quick")) >= MOST_SLICES
    )
    if quick is not None:
        assert quick.report(now, whole=True) == again.report(now, whole=True)
        # And goes on alike.
        more = piece(now.replace(second=0, microsecond=0) + timedelta(minutes=5), 100, 100, slice_s)
        later = more.start + timedelta(seconds=slice_s + 1)
        assert quick.add(more)
        assert again.add(more)
        assert quick.report(later, whole=True) == again.report(later, whole=True)


def test_what_was_summed_by_other_rules_is_passed_over() -> None:
    service, rng = shop(), Random(3)
    slices = told(60, 0.2, rng)
    now = slices[-1].start + timedelta(seconds=62)
    books = balanced(service, kept(*slices), now)
    assert carried(service, books, (), {}, now) is not None
    fix = correction(START, START + 9 * MINUTE)
    assert carried(service, books, (fix,), {}, now) is None
    others = (
        shop(window_s=7 * 86_400.0),
        shop(300),
        replace(service, rules=replace(service.rules, payback=PaybackRules(timezone="Europe/Berlin"))),
        replace(service, rules=replace(service.rules, slos=())),
    )
    for other in others:
        assert carried(other, books, (), {}, now) is None
        assert opened(other, books, (), {}, now).report(now) == rebuilt(other, books, (), {}, now).report(now)
    # Targets are no part of the sums.
    assert carried(shop(target="0.9"), books, (), {}, now) is not None


def test_a_balance_that_cannot_be_read_is_passed_over() -> None:
    service, slices = shop(), told(60, 0.1, Random(4))
    now = slices[-1].start + timedelta(seconds=62)
    books = balanced(service, kept(*slices), now)
    (whole,) = books.kept_balances.values()
    for body in (b"", whole.body[:-1], whole.body + b"x", whole.body[:64] + b"\xff" * 16 + whole.body[80:]):
        books.kept_balances["shop"] = replace(whole, body=body)
        assert carried(service, books, (), {}, now) is None


def test_nothing_is_written_of_what_is_unknown_ahead_of_the_clock_or_still_to_be_corrected() -> None:
    service, slices = shop(), told(60, 0.1, Random(5))
    now = slices[-1].start + timedelta(seconds=62)
    assert written(Tally(service), now) is None
    assert written(rebuilt(service, kept(*slices), (), {}, now), now - 2 * MINUTE) is None
    fix = correction(now - 9 * MINUTE, now)
    assert written(rebuilt(service, kept(*slices), (fix,), {}, now), now) is None


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 2**40), st.integers(0, 10**6)), max_size=40))
def test_a_ring_in_bytes_is_the_same_ring_however_large_its_counts(told: list[tuple[int, int, int]]) -> None:
    ring, plain = Ring(60, 7_200.0), dict[int, Counts]()
    for minute, total, seconds in told:
        counts = Counts(total, total // 2, seconds, seconds // 2, seconds // 3)
        ring.add(60 * minute, counts)
        plain[minute] = plain.get(minute, Counts()).plus(counts)
    again = Ring(60, 7_200.0)
    assert bytes(again.unpack(memoryview(ring.pack() + b"more"))) == b"more"
    newest = max(plain, default=0)
    for since in (*plain, newest - 121, newest + 1, 0):
        # What is older than the ring at the time at which it came was none; what it had then is gone by the newest.
        assert again.since(60 * since) == ring.since(60 * since)
        exact = [counts for minute, counts in plain.items() if minute >= max(since, newest - 121)]
        if [minute for minute, _, _ in told] == sorted(minute for minute, _, _ in told):
            whole = Counts()
            for counts in exact:
                whole = whole.plus(counts)
            assert ring.since(60 * since) == whole


class Then:
    """The clock of a time at which none of these slices is old enough to be forgotten."""

    def now(self) -> datetime:
        return START + timedelta(days=1)

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


@pytest.fixture
def history(tmp_path: Path) -> Iterator[SqliteHistory]:
    made = SqliteHistory(tmp_path / "history.db", Then())
    made.start()
    yield made
    made.close()


@given(
    rounds=st.lists(
        st.tuples(
            st.sampled_from(["next", "next", "gap", "again", "late", "balance"]),
            st.integers(1, 30),
            st.sampled_from([0, 0, 0, 3, 100]),
            st.booleans(),
        ),
        min_size=1,
        max_size=25,
    )
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_written_after_a_balance_the_history_never_hands_out_one_that_is_not_so(
    history: SqliteHistory, rounds: list[tuple[str, int, int, bool]]
) -> None:
    db = history._opened()
    for table in ("budget_slices", "budget_hours", "budget_balances"):
        db.execute(f"DELETE FROM {table}")
    service, at = shop(target="0.9999"), START
    running = Tally(service)
    for kind, minutes, bad, quick in rounds:
        slo = "quick" if quick else "availability"
        if kind in {"next", "gap"}:
            at += minutes * MINUTE if kind == "gap" else timedelta(0)
            new = tuple(piece(at + n * MINUTE, bad, slo=slo) for n in range(minutes))
            at += minutes * MINUTE
        elif kind == "balance":
            new = ()
        else:
            new = (piece(START + (minutes + 5) * MINUTE, bad, slo=slo),)
            new = tuple(replace(one, backfill=kind == "late") for one in new)
        now = at + timedelta(seconds=2)
        # As the books do: the balance is of what was kept before, in the same transaction as what comes now.
        balance = written(running, now) if kind == "balance" or minutes % 2 else None
        history.record(Changes(slices=new, balances=() if balance is None else (balance,)))
        running = opened(service, history, (), {}, now)
        assert running.report(now, whole=True) == rebuilt(service, history, (), {}, now).report(now, whole=True)
    history.record(Changes(balances=tuple(filter(None, [written(running, at)]))))
    assert opened(service, history, (), {}, at).report(at) == rebuilt(service, history, (), {}, at).report(at)


def test_a_slice_of_its_time_drops_a_balance_and_one_after_it_does_not(history: SqliteHistory) -> None:
    service, slices = shop(), tuple(piece(START + n * MINUTE) for n in range(30))
    now = START + 30 * MINUTE
    history.record(Changes(slices=slices))
    balance = written(rebuilt(service, history, (), {}, now), now)
    assert balance is not None
    history.record(Changes(balances=(balance,)))
    assert history.balance("shop") == balance
    history.record(Changes(slices=(piece(now), replace(piece(START), service="other"))))
    assert history.balance("shop") == balance
    assert [one.start for one in history.since("shop", "availability", now - MINUTE, 5)] == [now - MINUTE, now]
    history.record(Changes(slices=(replace(piece(now - MINUTE), backfill=True),)))
    assert history.balance("shop") is None
    # Also one that comes with the very slice that it lacks.
    history.record(Changes(balances=(balance,), slices=(piece(now - MINUTE),)))
    assert history.balance("shop") is None


def test_a_balance_goes_before_the_slices_that_it_waits_for(history: SqliteHistory) -> None:
    service, now = shop(), START + MINUTE
    history.record(Changes(slices=(piece(START),)))
    balance = written(rebuilt(service, history, (), {}, now), now)
    assert balance is not None
    history.record(Changes(balances=(balance,)))
    for age, left in ((SLICES_FOR, balance), (SLICES_FOR + timedelta(seconds=1), None)):
        with history._transaction() as db:
            retention.forget(db, now + age)
        assert history.balance("shop") == left


def test_a_damaged_balance_is_none(history: SqliteHistory) -> None:
    history._opened().execute("INSERT INTO budget_balances VALUES ('shop', 0, 'x', X'00')")
    assert history.balance("shop") is None
