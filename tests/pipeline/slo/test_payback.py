"""Payback: the worked numbers of the policy, one by one."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil

import pytest

from pipeline.slo.calendar import instant
from pipeline.slo.payback import payback
from pipeline.slo.quota import quota_s
from pipeline.slo.report import Debt, Outage, PaybackReport
from pipeline.slo.rules import CountFrom, PaybackRules

FOUR = Decimal("0.9999")
QUOTA = 262.8
RULES = PaybackRules(most_months=None)
SINCE = datetime(2024, 1, 1, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NINE = utc("2025-01-15T09:00")
BREACH = utc("2025-01-15T09:04:22.8")
UNTIL = utc("2025-04-15T09:04:22.8")
TWELVE_MIN = Outage(NINE, NINE + timedelta(minutes=12))


def down(start: str | datetime, seconds: float | Fraction, **more: bool | str) -> Outage:
    begun = utc(start) if isinstance(start, str) else start
    return Outage(begun, begun + timedelta(microseconds=round(Fraction(str(seconds)) * 10**6)), **more)  # type: ignore[arg-type]


def told(*outages: Outage, now: str, rules: PaybackRules = RULES, target: Decimal = FOUR) -> PaybackReport:
    return payback(outages, target, rules, SINCE, utc(now))


def block(*outages: Outage, now: str, rules: PaybackRules = RULES, target: Decimal = FOUR) -> Debt:
    made = told(*outages, now=now, rules=rules, target=target).block
    assert made is not None
    return made


def test_twelve_minutes_down_at_four_nines_block_for_three_months_from_the_breach() -> None:
    debt = block(TWELVE_MIN, now="2025-02-01")
    assert debt == Debt(utc("2025-01-01"), BREACH, 720.0, QUOTA, 3, UNTIL)
    assert debt.in_force(BREACH)
    assert debt.in_force(UNTIL - timedelta(microseconds=1))
    assert not debt.in_force(UNTIL)


@pytest.mark.parametrize(
    ("count_from", "until"),
    [
        (CountFrom.BREACH, UNTIL),
        (CountFrom.NEXT_MONTH, utc("2025-05-01")),
        (CountFrom.INCLUSIVE_MONTH, utc("2025-04-01")),
    ],
)
def test_where_the_months_are_counted_from_is_configured(count_from: CountFrom, until: datetime) -> None:
    assert block(TWELVE_MIN, now="2025-02-01", rules=PaybackRules(count_from=count_from)).until == until


def test_the_breach_is_the_instant_at_which_the_sum_passes_the_quota() -> None:
    at, just_after = "2025-01-15T09:04:22.8", "2025-01-15T09:04:22.800001"
    before = told(TWELVE_MIN, now=at)
    assert before.block is None
    assert (before.used_s, before.quota_s, before.since) == (QUOTA, QUOTA, utc("2025-01-01"))
    debt = block(TWELVE_MIN, now=just_after)
    assert debt.breach == BREACH
    assert debt.months == 2


@pytest.mark.parametrize(
    ("seconds", "months"),
    [
        ("262.8", 0),
        ("262.800001", 2),
        ("263.8", 2),
        ("525.6", 2),
        ("525.7", 3),
        ("720", 3),
        ("732", 3),
        ("788.4", 3),
        ("788.5", 4),
    ],
)
def test_a_month_for_each_quota_that_was_begun(seconds: str, months: int) -> None:
    made = told(down(NINE, Fraction(seconds)), now="2025-01-20")
    assert (0 if made.block is None else made.block.months) == months
    assert made.used_s == float(seconds)


def test_a_calendar_february_would_charge_732_seconds_with_four_months() -> None:
    assert ceil(Decimal(732) / (Decimal("0.0001") * 28 * 86_400)) == 4
    assert ceil(Decimal(732) / quota_s(FOUR)) == 3


def test_floats_would_charge_exactly_three_quotas_with_four_months() -> None:
    assert ceil(788.4 / ((1 - 0.9999) * 2_628_000)) == 4


@pytest.mark.parametrize(
    ("start", "until"),
    [
        ("2024-11-30T10:00", "2025-02-28T10:04:22.8"),
        ("2023-11-30T10:00", "2024-02-29T10:04:22.8"),
        ("2099-11-30T10:00", "2100-02-28T10:04:22.8"),
        ("2025-01-31T10:00", "2025-04-30T10:04:22.8"),
        ("2025-12-31T23:50", "2026-03-31T23:54:22.8"),
    ],
)
def test_a_day_that_the_last_month_lacks_is_its_last_one(start: str, until: str) -> None:
    outage = down(start, 720 if "23:50" not in start else 590)
    made = payback([outage], FOUR, RULES, utc("2000-01-01"), outage.end)
    assert made.block is not None
    assert made.block.until == utc(until)


def test_more_downtime_while_blocked_joins_the_same_debt() -> None:
    debt = block(TWELVE_MIN, down("2025-02-10", 360), now="2025-03-01")
    assert (debt.downtime_s, debt.months, debt.until) == (1_080.0, 5, utc("2025-06-15T09:04:22.8"))
    assert debt.breach == BREACH
    little = block(TWELVE_MIN, down("2025-02-10", 1), now="2025-03-01")
    assert (little.downtime_s, little.months, little.until) == (721.0, 3, UNTIL)


def test_a_block_ends_by_itself_and_time_already_charged_is_not_charged_again() -> None:
    over = told(TWELVE_MIN, now="2025-04-15T09:04:22.8")
    assert over.block is None
    assert (over.used_s, over.since) == (0.0, UNTIL)
    assert [debt.until for debt in over.debts] == [UNTIL]
    late = down("2025-04-14", 60)
    again = told(TWELVE_MIN, late, down("2025-04-20", 262), now="2025-04-30")
    assert again.block is None, "the minute of 14 April belongs to the debt that is paid"
    assert again.used_s == 262.0
    assert again.debts[0].downtime_s == 780.0


def test_after_a_block_a_new_debt_starts_with_a_full_quota() -> None:
    made = told(TWELVE_MIN, down("2025-04-20", 263), now="2025-04-30")
    assert [debt.since for debt in made.debts] == [utc("2025-01-01"), UNTIL]
    assert made.block == made.debts[1]
    assert (made.block.downtime_s, made.block.months, made.block.until) == (263.0, 2, utc("2025-06-20T00:04:22.8"))


def test_a_calm_month_starts_anew_and_a_calm_block_does_not_end_sooner() -> None:
    calm = told(down("2025-01-15", 200), down("2025-02-15", 200), now="2025-02-20")
    assert (calm.block, calm.used_s, calm.since) == (None, 200.0, utc("2025-02-01"))
    assert block(TWELVE_MIN, now="2025-03-31").until == UNTIL


def test_four_minutes_on_either_side_of_a_months_edge_breach_neither_month() -> None:
    made = told(down("2025-01-31T23:56", 480), now="2025-02-10")
    assert (made.block, made.debts, made.used_s) == (None, (), 240.0)


def test_an_outage_over_the_edge_of_two_months_counts_in_each_by_its_part() -> None:
    debt = block(down("2025-01-31T23:56", 240 + 263), now="2025-02-10")
    assert (debt.since, debt.breach, debt.downtime_s) == (utc("2025-02-01"), utc("2025-02-01T00:04:22.8"), 263.0)


def test_a_block_is_held_open_while_the_service_is_down_and_the_debt_grows_on() -> None:
    late = "2025-04-15T09:04:30"
    held = told(TWELVE_MIN, down("2025-04-15T09:04:00", 30, open=True), now=late)
    assert held.held_open
    assert held.block is not None
    assert (held.block.until, held.block.downtime_s) == (UNTIL, 750.0)
    silent = told(TWELVE_MIN, down("2025-04-15T09:03:00", 60, open=True), now="2025-04-20")
    assert silent.held_open, "nobody knows that it is up again"
    over = told(TWELVE_MIN, down("2025-04-15T09:04:00", 30), now="2025-04-15T09:05:00")
    assert (over.block, over.held_open) == (None, False)
    assert over.debts[0].until == over.since == utc("2025-04-15T09:04:30")
    longer = block(TWELVE_MIN, down("2025-04-15T09:04:00", 69), now="2025-04-15T09:06:00")
    assert (longer.months, longer.until) == (4, utc("2025-05-15T09:04:22.8")), "789 s: a fourth quota was begun"


def test_an_outage_that_begins_at_the_very_end_still_holds() -> None:
    made = told(TWELVE_MIN, Outage(UNTIL, UNTIL + timedelta(hours=1)), now="2025-04-15T09:04:22.8")
    assert made.held_open


def test_the_cap_of_twelve_months() -> None:
    five = Decimal("0.99999")
    assert block(TWELVE_MIN, now="2025-02-01", target=five).months == 28
    capped = block(TWELVE_MIN, now="2025-02-01", target=five, rules=PaybackRules())
    assert (capped.months, capped.capped, capped.until) == (12, True, utc("2026-01-15T09:00:26.28"))
    assert not block(TWELVE_MIN, now="2025-02-01", rules=PaybackRules(most_months=3)).capped


def test_the_cap_counts_anew_from_an_outage_under_the_block_so_that_no_downtime_ends_one() -> None:
    old, young = down("2024-11-08T09:00", 10_800), down("2025-11-08T09:00", 720)
    assert block(young, now="2025-11-26").until == utc("2026-02-08T09:04:22.8")
    both = block(old, young, now="2025-11-26", rules=PaybackRules())
    assert (both.breach, both.capped, both.until) == (utc("2024-11-08T09:04:22.8"), True, utc("2026-11-08T09:00"))
    short = PaybackRules(most_months=1)
    assert block(down("2025-10-26T09:00", 900), down("2025-11-25T09:00", 2_400), now="2025-11-26", rules=short).capped
    assert told(old, now="2025-11-08T10:00", rules=PaybackRules()).block is None


def test_an_exclusion_brings_the_months_down_or_lifts_the_block() -> None:
    some = [down(NINE, 200), down("2025-01-15T09:03:20", 320, excluded="ana"), down("2025-01-15T09:08:40", 200)]
    debt = block(*some, now="2025-02-01")
    assert (debt.downtime_s, debt.months) == (400.0, 2)
    most = [down(NINE, 200), down("2025-01-15T09:03:20", 520, excluded="ana")]
    lifted = told(*most, now="2025-02-01")
    assert (lifted.block, lifted.debts) == (None, ())
    assert told(*most, now="2025-01-20").used_s == 200.0


def test_an_exclusion_that_puts_off_the_breach_does_not_put_off_the_end() -> None:
    early, late = down("2025-01-02", 263), down("2025-01-31T10:00", 720)
    assert block(early, late, now="2025-02-01").until == utc("2025-05-02T00:04:22.8")
    let_off = [down("2025-01-02", 262), down("2025-01-02T00:04:22", 1, excluded="ana"), late]
    debt = block(*let_off, now="2025-02-01")
    assert debt.breach == utc("2025-01-31T10:00:00.8")
    assert debt.until == utc("2025-05-02T00:04:22.8"), "not 31 May"


def test_an_excluded_outage_that_goes_on_holds_nothing() -> None:
    made = told(TWELVE_MIN, down("2025-04-15T09:04:00", 30, open=True, excluded="ana"), now="2025-04-15T09:04:30")
    assert (made.block, made.held_open) == (None, False)


def test_an_open_debt_keeps_its_quota_when_the_target_is_loosened() -> None:
    loosened = [(SINCE, FOUR), (utc("2025-01-20"), Decimal("0.99"))]
    made = payback([TWELVE_MIN], loosened, RULES, SINCE, utc("2025-02-01"))
    assert made.block is not None
    assert (made.block.quota_s, made.block.months, made.block.until) == (QUOTA, 3, UNTIL)
    after = payback([TWELVE_MIN], loosened, RULES, SINCE, utc("2025-05-01"))
    assert (after.block, after.quota_s) == (None, 26_280.0)


def test_a_target_tightened_in_mid_month_weighs_by_what_is_left_of_the_month() -> None:
    tightened = [(SINCE, Decimal("0.999")), (utc("2025-04-16"), FOUR)]
    enough = [down("2025-04-10", 1_000), down("2025-04-20", Fraction("445.4"))]
    made = payback(enough, tightened, RULES, SINCE, utc("2025-04-30"))
    assert (made.block, made.quota_s, made.used_s) == (None, 1_445.4, 1_445.4)
    more = payback([*enough, down("2025-04-21", 1)], tightened, RULES, SINCE, utc("2025-04-30"))
    assert more.block is not None
    assert more.block.breach == utc("2025-04-21")
    at_once = payback([down("2025-04-10", 2_000)], tightened, RULES, SINCE, utc("2025-04-30"))
    assert at_once.block is not None
    assert at_once.block.breach == utc("2025-04-16"), "it was inside of the old quota until then"


def test_the_months_are_those_of_the_policys_timezone() -> None:
    rules = PaybackRules(timezone="Europe/Berlin", most_months=None)
    outage = down("2025-01-31T22:56", 480)
    made = payback([outage], FOUR, rules, SINCE, utc("2025-02-10"))
    assert (made.block, made.since, made.used_s) == (None, utc("2025-01-31T23:00"), 240.0)
    winter = payback([TWELVE_MIN], FOUR, rules, SINCE, utc("2025-02-01")).block
    assert winter is not None
    assert winter.until == utc("2025-04-15T08:04:22.8"), "10:04 in Berlin before and after the change of the clocks"


def test_an_hour_that_comes_twice_is_an_hour_of_downtime() -> None:
    wall = datetime(2025, 10, 26, 2, 30)  # noqa: DTZ001
    outage = Outage(instant(wall, "Europe/Berlin"), instant(wall, "Europe/Berlin", 1))
    made = payback([outage], Decimal("0.99"), PaybackRules(timezone="Europe/Berlin"), SINCE, utc("2025-10-27"))
    assert made.used_s == 3_600.0


def test_what_is_not_known_yet_or_was_before_is_not_charged() -> None:
    assert told(TWELVE_MIN, now="2025-01-15T08:00") == PaybackReport(QUOTA, 0.0, utc("2025-01-01"))
    made = payback([TWELVE_MIN], FOUR, RULES, NINE + timedelta(minutes=10), utc("2025-01-20"))
    assert (made.block, made.used_s) == (None, 120.0)


def test_a_whole_dead_year_at_five_nines_ends_some_day() -> None:
    made = payback([Outage(SINCE, SINCE + timedelta(days=400))], Decimal("0.9999999"), RULES, SINCE, utc("2026-01-01"))
    assert made.block is not None
    assert made.block.until.year == 9999
