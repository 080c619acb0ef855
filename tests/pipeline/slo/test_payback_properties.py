"""Payback: what holds whatever happens, and against a simulation that runs through it step by step."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.slo.calendar import add_months, following, month_of
from pipeline.slo.payback import payback
from pipeline.slo.report import Outage, PaybackReport
from pipeline.slo.rules import CountFrom, PaybackRules

START = datetime(2023, 10, 1, tzinfo=UTC)
STEP = timedelta(hours=6)
STEPS = 4 * 600
TARGET = Decimal("0.95")
QUOTA = Fraction("36.5") * 3_600
"""Of a nominal month: six steps and a bit."""

RUNS = st.lists(st.tuples(st.integers(0, STEPS - 1), st.integers(1, 30)), max_size=12)
RULES = st.builds(
    PaybackRules,
    count_from=st.sampled_from(CountFrom),
    most_months=st.sampled_from([None, 1, 3, 12]),
    timezone=st.just("UTC"),
)


def outages(runs: Sequence[tuple[int, int]], **more: str) -> list[Outage]:
    return [Outage(START + a * STEP, START + min(a + n, STEPS) * STEP, **more) for a, n in runs]  # type: ignore[arg-type]


def at(step: int) -> datetime:
    return START + step * STEP


@dataclass
class Running:
    """A controller that knows only what it has lived through: one state, one step at a time."""

    rules: PaybackRules
    begun: datetime = START
    bad_s: Fraction = Fraction(0)
    breach: datetime | None = None
    until: datetime = START
    down_since: datetime | None = None

    def step(self, now: datetime, bad: bool) -> None:
        """[now, now + STEP) was bad or good."""
        self.down_since = (self.down_since or now) if bad else None
        if self.breach is not None:
            if bad:
                self.bad_s += 6 * 3_600
                self._count()
            elif self.until < now + STEP:
                self.begun, self.bad_s, self.breach = max(self.until, now), Fraction(0), None
            return
        month = month_of(now, "UTC").start
        if self.begun < month:
            self.begun, self.bad_s = month, Fraction(0)
        if bad:
            left = QUOTA - self.bad_s
            self.bad_s += 6 * 3_600
            if self.bad_s > QUOTA:
                self.breach = now + timedelta(seconds=float(left))
                self._count()

    def _count(self) -> None:
        assert self.breach is not None
        quotas, most = ceil(self.bad_s / QUOTA), self.rules.most_months
        if most is None or quotas <= most:
            self.until = self._after(self.breach, quotas)
            return
        # The cap counts from the breach, and again from each outage while the debt is larger.
        assert self.down_since is not None
        again = min(self._after(max(self.breach, self.down_since), most), self._after(self.breach, quotas))
        before = self.until if self.until > self.breach else self.breach
        self.until = max(before, self._after(self.breach, most), again)

    def _after(self, start: datetime, months: int) -> datetime:
        match self.rules.count_from:
            case CountFrom.BREACH:
                return add_months(start, months, "UTC")
            case CountFrom.NEXT_MONTH:
                return following(start, "UTC", months + 1).start
            case CountFrom.INCLUSIVE_MONTH:
                return following(start, "UTC", months).start


@settings(max_examples=60)
@given(RUNS, RULES)
def test_a_restart_at_any_time_tells_what_running_through_does(
    runs: list[tuple[int, int]], rules: PaybackRules
) -> None:
    bad = {step for start, length in runs for step in range(start, min(start + length, STEPS))}
    known, live = outages(runs), Running(rules)
    for step in range(STEPS):
        now = at(step + 1)
        live.step(at(step), step in bad)
        if step % 61 and step + 1 not in {
            edge for start, length in runs for edge in (start + 1, start + length, start + length + 1)
        }:
            continue
        told = payback(known, TARGET, rules, START, now)
        held = step + 1 in bad
        if live.breach is not None and (now < live.until or held):
            assert told.block is not None
            assert (told.block.since, told.block.breach, told.block.until) == (live.begun, live.breach, live.until)
            assert told.block.downtime_s == told.used_s == float(live.bad_s)
            assert told.held_open == (now >= live.until)
        else:
            assert told.block is None
            if live.breach is None and live.begun >= month_of(now, "UTC").start:
                assert (told.since, told.used_s) == (live.begun, float(live.bad_s))


@given(RUNS, RULES, st.integers(0, STEPS), st.randoms(use_true_random=False))
def test_order_overlaps_and_cuts_change_nothing(
    runs: list[tuple[int, int]], rules: PaybackRules, now: int, rng: Random
) -> None:
    whole = outages(runs)
    cut = [piece for one in whole for piece in _cut(one, rng)] + rng.sample(whole, len(whole) // 2)
    rng.shuffle(cut)
    assert payback(cut, TARGET, rules, START, at(now)) == payback(whole, TARGET, rules, START, at(now))


@given(RUNS, RULES, st.integers(0, STEPS))
def test_going_on_from_the_end_of_the_last_block_tells_the_same(
    runs: list[tuple[int, int]], rules: PaybackRules, now: int
) -> None:
    whole = payback(outages(runs), TARGET, rules, START, at(now))
    over = [debt for debt in whole.debts if debt != whole.block]
    if over:
        rest = payback(outages(runs), TARGET, rules, over[-1].until, at(now))
        assert rest == replace(whole, debts=rest.debts)
        assert (*over, *rest.debts) == whole.debts


@given(RUNS, RULES, st.integers(0, STEPS))
def test_debts_follow_each_other_and_the_future_does_not_count(
    runs: list[tuple[int, int]], rules: PaybackRules, now: int
) -> None:
    made = payback(outages(runs), TARGET, rules, START, at(now))
    past = [replace(one, end=min(one.end, at(now))) for one in outages(runs) if one.start < at(now)]
    again = payback(past, TARGET, rules, START, at(now))
    assert (again.debts, again.used_s, again.since) == (made.debts, made.used_s, made.since) or made.held_open
    for one, other in zip(made.debts, made.debts[1:], strict=False):
        assert one.since <= one.breach < one.until <= other.since <= other.breach
    for debt in made.debts:
        assert debt.downtime_s > debt.quota_s or debt == made.debts[-1]
        assert debt.months >= min(2, rules.most_months or 2)
        assert debt.breach <= at(now)


@given(RUNS, RULES, st.integers(0, STEPS), st.integers(0, 10**9))
def test_one_more_bad_second_after_the_breach_never_shortens_the_block(
    runs: list[tuple[int, int]], rules: PaybackRules, now: int, where: int
) -> None:
    made = payback(outages(runs), TARGET, rules, START, at(now))
    if made.block is None:
        return
    second = made.block.breach + timedelta(seconds=where % max(1, int((at(now) - made.block.breach).total_seconds())))
    more = payback([*outages(runs), Outage(second, second + timedelta(seconds=1))], TARGET, rules, START, at(now))
    assert more.block is not None
    assert more.block.breach == made.block.breach
    assert more.block.until >= made.block.until
    assert more.block.months >= made.block.months
    assert more.block.downtime_s >= made.block.downtime_s


@given(st.lists(st.tuples(st.integers(0, 119), st.integers(1, 9)), max_size=6), st.integers(0, 119), st.booleans())
def test_in_one_month_more_downtime_never_means_fewer_months(
    runs: list[tuple[int, int]], extra: int, capped: bool
) -> None:
    """Though it may begin to count sooner: months are counted from the breach."""
    rules = PaybackRules(most_months=12 if capped else None)
    now = at(31 * 4)
    less = payback(outages(runs), TARGET, rules, START, now)
    more = payback(outages([*runs, (extra, 1)]), TARGET, rules, START, now)
    assert _months(more) >= _months(less)
    assert more.used_s >= less.used_s


@settings(max_examples=300)
@given(RUNS, RUNS, RULES, st.integers(0, STEPS), st.booleans())
def test_an_exclusion_never_lengthens_a_block(
    runs: list[tuple[int, int]], let_off: list[tuple[int, int]], rules: PaybackRules, now: int, goes_on: bool
) -> None:
    bad = sorted({step for start, length in runs for step in range(start, min(start + length, STEPS))})
    off = {step for start, length in let_off for step in range(start, start + length)}
    steps = [Outage(at(step), at(step + 1), open=goes_on and step + 1 == now) for step in bad]
    some = [replace(one, excluded="ana" if step in off else "") for one, step in zip(steps, bad, strict=True)]
    measured = payback(steps, TARGET, rules, START, at(now))
    corrected = payback(some, TARGET, rules, START, at(now))
    if corrected.block is not None:
        assert measured.block is not None
        assert corrected.block.until <= max(measured.block.until, at(now))
        assert corrected.block.breach >= measured.block.breach or corrected.block.months <= measured.block.months


@given(RUNS, RULES, st.integers(0, STEPS))
def test_what_is_wholly_excluded_never_was(runs: list[tuple[int, int]], rules: PaybackRules, now: int) -> None:
    made = payback(outages(runs, excluded="ana"), TARGET, rules, START, at(now))
    assert made == payback([], TARGET, rules, START, at(now))


@given(
    st.integers(0, 40 * 366 * 24),
    st.integers(263, 20_000),
    st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]),
)
def test_a_lone_outage_costs_its_months_on_any_day_of_any_year(hour: int, seconds: int, timezone: str) -> None:
    start = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
    outage = Outage(start, start + timedelta(seconds=seconds))
    if month_of(outage.end, timezone) != month_of(start, timezone):
        return
    rules = PaybackRules(timezone=timezone, most_months=None)
    made = payback([outage], Decimal("0.9999"), rules, start - timedelta(days=40), outage.end).block
    assert made is not None
    assert made.breach == start + timedelta(seconds=262, milliseconds=800)
    assert made.months == ceil(seconds / Decimal("262.8"))
    assert made.until == add_months(made.breach, made.months, timezone)
    assert made.since == month_of(start, timezone).start


def _months(report: PaybackReport) -> int:
    return 0 if report.block is None else report.block.months


def _cut(outage: Outage, rng: Random) -> list[Outage]:
    length = outage.end - outage.start
    middle = outage.start + timedelta(microseconds=rng.randrange(1, length // timedelta(microseconds=1)))
    return [replace(outage, end=middle), replace(outage, start=middle)]
