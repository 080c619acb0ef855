from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.docket import Attestation, Docket
from pipeline.gates import Answer
from pipeline.model import BudgetRules, Rules
from pipeline.policy.coverage import coverage
from pipeline.policy.error_budget import error_budget
from pipeline.policy.payback import payback
from pipeline.policy.wording import span, times, whole_percent
from pipeline.premises import Premises
from pipeline.slo.report import Alarm, Outage, PaybackReport
from pipeline.slo.rules import Count, Kind, PaybackRules
from tests.pipeline.policy.given import (
    BREACH,
    DAY,
    DEBT,
    DOWN,
    HOUR,
    MONTH,
    NOTHING,
    NOW,
    OUTAGE,
    PAYS_BACK,
    UNTIL,
    a_report,
    a_service,
    a_window,
    an_slo,
    pair,
    premised,
)

SERVICE = a_service()
VOUCHED = Attestation(
    "att-1", "checkout", "coverage", "ana", NOW - HOUR, "their exporter was restarted", expires=NOW + HOUR
)


def test_a_budget_with_enough_left_passes_and_says_how_much() -> None:
    gate = error_budget(SERVICE, premised(), NOW)
    assert (gate.answer, gate.warns) == (Answer.PASS, "")
    assert gate.why == "availability 30d: 75 % left, 32m24s"


def test_twelve_minutes_down_at_four_nines_is_held_with_the_numbers() -> None:
    spent = a_window(left=1 - 720 / 259.2, left_s=259.2 - 720, bad_s=720, bad=4_000)
    report = a_report(an_slo(spent, target="99.99"), outages=(OUTAGE,))
    gate = error_budget(SERVICE, premised(budget=report), NOW)
    assert gate.answer is Answer.HOLD
    assert gate.why == "availability 30d: -178 % left, -7m41s; 12m00s down in 1 outage"
    assert (gate.since, gate.until) == (None, None)
    assert gate.lifts == (
        "by itself, as what was bad leaves the window, nobody knows when; or an approved correction (pithead correct)"
    )


def test_a_spent_budget_says_since_when_it_is_and_when_it_is_back() -> None:
    spent = a_window(left=-0.5, left_s=-60.0, bad_s=720)
    of = an_slo(spent, spent_since=NOW - DAY, back_at=NOW + 3 * DAY)
    gate = error_budget(SERVICE, premised(budget=a_report(of)), NOW)
    assert (gate.since, gate.until) == (NOW - DAY, NOW + 3 * DAY)
    assert gate.lifts == (
        "by itself, at 2025-01-18 14:02 UTC if nothing more is bad and as many requests come; "
        "or an approved correction (pithead correct)"
    )
    timed = replace(of, count=Count.SLICES)
    assert "at 2025-01-18 14:02 UTC if nothing more is bad;" in (
        error_budget(SERVICE, premised(budget=a_report(timed)), NOW).lifts
    )


def test_a_budget_spent_to_the_last_is_held_and_one_in_requests_tells_requests() -> None:
    gate = error_budget(SERVICE, premised(budget=a_report(an_slo(a_window(left=0.0, left_s=0.0, bad=1_000)))), NOW)
    assert gate.answer is Answer.HOLD
    assert gate.why == "availability 30d: 0 % left, 0s; 1,000 of 1,000,000 requests bad"


def test_any_objective_holds_and_not_availability_alone() -> None:
    slow = an_slo(a_window(left=-0.5, left_s=-60.0, bad=9_000), name="fast", kind=Kind.LATENCY)
    gate = error_budget(SERVICE, premised(budget=a_report(an_slo(), slow)), NOW)
    assert gate.answer is Answer.HOLD
    assert gate.why == "fast 30d: -50 % left, -1m00s; 9,000 of 1,000,000 requests too slow"


def test_a_page_that_fires_holds_for_someone_must_look() -> None:
    slo = an_slo(a_window(left=0.12, left_s=161.0), burn=(pair(Alarm.PAGE),), gone_in_s=21_600.0)
    gate = error_budget(SERVICE, premised(budget=a_report(slo)), NOW)
    assert gate.answer is Answer.HOLD
    assert gate.why == (
        "burn: availability 30d: burns 14.9 times too fast over 1h00m, 15.2 over 5m00s; 12 % left, 2m41s, gone in 6h00m"
    )
    assert gate.lifts == (
        "by itself, once it burns slower, about 5m00s after the last bad request; "
        "someone must look: pithead explain checkout"
    )


def test_a_burn_over_a_window_of_which_only_a_part_is_known_says_so() -> None:
    few = replace(pair(Alarm.PAGE), long=9_444.4, short=9_444.4, known_s=360.0)
    gate = error_budget(SERVICE, premised(budget=a_report(an_slo(burn=(few,)))), NOW)
    assert gate.why.startswith(
        "burn: availability 30d: burns 9444.4 times too fast over the 6m00s that are known of 1h00m, 9444.4 over 5m00s;"
    )
    fewer = replace(few, known_s=180.0)
    gate = error_budget(SERVICE, premised(budget=a_report(an_slo(burn=(fewer,)))), NOW)
    assert "burns 9444.4 times too fast over the 3m00s that are known of 1h00m; 75 % left" in gate.why
    most = replace(few, known_s=3_300.0)
    assert "too fast over 1h00m, " in error_budget(SERVICE, premised(budget=a_report(an_slo(burn=(most,)))), NOW).why


def test_an_objective_in_slices_tells_slices() -> None:
    spent = a_window(left=0.0, left_s=0.0, bad_s=2_580, good_s=2_589_420)
    slo = an_slo(spent, count=Count.SLICES, slice_s=60)
    gate = error_budget(SERVICE, premised(budget=a_report(slo)), NOW)
    assert gate.why == "availability 30d: 0 % left, 0s; 43 of 43,200 slices bad"


def test_a_pair_that_does_not_fire_holds_nothing_and_a_ticket_warns() -> None:
    calm = an_slo(burn=(pair(Alarm.PAGE, fires=False),))
    assert error_budget(SERVICE, premised(budget=a_report(calm)), NOW).warns == ""
    ticket = an_slo(burn=(pair(Alarm.TICKET),))
    gate = error_budget(SERVICE, premised(budget=a_report(ticket)), NOW)
    assert gate.answer is Answer.PASS
    assert gate.warns == "availability 30d: burns 14.9 times too fast over 1h00m, 15.2 over 5m00s"


def test_less_than_a_quarter_warns() -> None:
    low = error_budget(SERVICE, premised(budget=a_report(an_slo(a_window(left=0.2499, left_s=647.0)))), NOW)
    assert low.answer is Answer.PASS
    assert low.warns == "availability 30d: 24 % left, 10m47s: releases are held once it is spent"
    assert error_budget(SERVICE, premised(budget=a_report(an_slo(a_window(left=0.25)))), NOW).warns == ""


def test_a_canary_that_could_cost_a_tenth_of_what_is_left_warns() -> None:
    # 10 % of production, broken for as long as it may take to be seen (30 s) and be back (120 s): 15 s.
    enough = error_budget(SERVICE, premised(budget=a_report(an_slo(a_window(left=0.58, left_s=150.0)))), NOW)
    assert enough.warns == ""
    gate = error_budget(SERVICE, premised(budget=a_report(an_slo(a_window(left=0.57, left_s=149.0)))), NOW)
    assert gate.warns == "a wholly broken canary would spend 15s of 2m29s left, more than a tenth"


def test_no_report_is_unknown_and_says_when_it_will_be_known() -> None:
    # Slices of 60 s; measured since 20 s into one, of which more than half is seen.
    since = NOW - timedelta(seconds=20)
    service = a_service(Rules(budget=BudgetRules(Decimal("0.999"), slice_s=60)))
    young = premised(budget=None, measured=since + timedelta(seconds=40))
    gate = error_budget(service, young, NOW + timedelta(seconds=20))
    assert gate.answer is Answer.UNKNOWN
    assert gate.why == "measured since 14:02:20 UTC: known in 40s"
    assert gate.until == NOW + timedelta(minutes=1)
    late = premised(budget=None, measured=NOW + timedelta(seconds=40))
    assert error_budget(service, late, NOW + timedelta(seconds=40)).until == NOW + timedelta(minutes=2)
    gone = error_budget(service, young, NOW + HOUR)
    assert gone.answer is Answer.UNKNOWN
    assert gone.why == "measured since 14:02:20 UTC, and nothing is known yet"
    assert error_budget(service, Premises(), NOW).why == "not measured yet"


def test_a_report_of_nothing_is_as_unknown_as_none() -> None:
    premises = premised(budget=a_report(NOTHING), measured=NOW)
    for gate in (
        error_budget(SERVICE, premises, NOW),
        coverage(SERVICE, premises, NOW),
        payback(SERVICE, premises, NOW),
    ):
        assert gate.answer is Answer.UNKNOWN
        assert gate.why == "measured since 14:02:00 UTC: known in 1m00s"


def test_too_few_requests_without_a_bad_one_pass_and_with_one_are_unknown() -> None:
    few = a_window(total=12, bad=0, left=None, left_s=None, why="too few events: 12 requests")
    assert error_budget(SERVICE, premised(budget=a_report(an_slo(few))), NOW).answer is Answer.PASS
    bad = premised(budget=a_report(an_slo(replace(few, bad=1))))
    gate = error_budget(SERVICE, bad, NOW)
    assert (gate.answer, gate.why) == (Answer.UNKNOWN, "availability 30d: too few events: 12 requests")
    assert "pithead attest checkout coverage" in gate.lifts
    vouched = replace(bad, docket=Docket(attestations=(VOUCHED,)))
    assert error_budget(SERVICE, vouched, NOW).answer is Answer.PASS
    assert error_budget(SERVICE, vouched, NOW + HOUR).answer is Answer.UNKNOWN


def test_twelve_minutes_at_four_nines_block_three_months() -> None:
    gate = payback(SERVICE, premised(budget=PAYS_BACK), NOW)
    assert gate.answer is Answer.HOLD
    assert gate.why == (
        "720 s of 262.8 s = 2.74 -> 3 months: 12m00s down since 2025-01-15 09:00 UTC; until 2025-04-15 09:04 UTC"
    )
    assert (gate.since, gate.until) == (BREACH, UNTIL)
    assert gate.lifts == "by itself on that day, or an approved correction (pithead correct)"


def test_a_capped_block_says_so_and_an_outage_no_longer_at_hand_is_told_by_its_breach() -> None:
    debt = replace(DEBT, quota_s=26.28, months=12, capped=True)
    report = a_report(payback=PaybackReport(26.28, 720.0, MONTH, (debt,), debt))
    gate = payback(SERVICE, premised(budget=report), NOW)
    assert gate.why.startswith(
        "720 s of 26.28 s = 27.40 -> 12 months, the longest block: 12m00s down since 2025-01-15 09:04"
    )


def test_an_excluded_outage_is_not_where_a_debt_began() -> None:
    excluded = Outage(DOWN - DAY, DOWN - DAY + HOUR, excluded="ana: maintenance")
    report = a_report(payback=PaybackReport(262.8, 720.0, MONTH, (DEBT,), DEBT), outages=(OUTAGE, excluded))
    assert "since 2025-01-15 09:00" in payback(SERVICE, premised(budget=report), NOW).why


def test_a_block_whose_time_is_over_stays_while_the_service_is_down() -> None:
    its = PaybackReport(262.8, 720.0, MONTH, (DEBT,), None, held_open=True)
    gate = payback(SERVICE, premised(budget=a_report(payback=its)), UNTIL + HOUR)
    assert gate.answer is Answer.HOLD
    assert gate.why == "its time was over at 2025-04-15 09:04 UTC, and the service is down just now; 720 s down in all"


def test_without_a_block_it_passes_and_warns_near_the_quota() -> None:
    gate = payback(SERVICE, premised(), NOW)
    assert (gate.answer, gate.warns) == (Answer.PASS, "")
    assert gate.why == "no block; 12 s of 262.8 s of downtime used since 2025-01-01 00:00 UTC"
    loose = premised(budget=a_report(payback=PaybackReport(262_800.0, 0.0, MONTH)))
    assert payback(SERVICE, loose, NOW).why.startswith("no block; 0 s of 3 d 01 h of downtime used since ")
    near = premised(budget=a_report(payback=PaybackReport(262.8, 200.0, MONTH)))
    assert payback(SERVICE, near, NOW).warns == "1m02s more of downtime, and months of releases are blocked"


def test_payback_passes_where_it_is_switched_off_and_is_unknown_where_nobody_worked_it_out() -> None:
    off = a_service(Rules(payback=PaybackRules(on=False)))
    assert payback(off, Premises(), NOW).answer is Answer.PASS
    assert payback(SERVICE, premised(budget=a_report(payback=None)), NOW).answer is Answer.UNKNOWN
    assert payback(SERVICE, premised(budget=None), NOW).answer is Answer.UNKNOWN


def test_little_known_of_a_day_is_unknown_and_nothing_lately_too() -> None:
    little = premised(budget=a_report(an_slo(coverage=0.9499)))
    gate = coverage(SERVICE, little, NOW)
    assert (gate.answer, gate.why) == (Answer.UNKNOWN, "94.9 % of the last 24 h known, 95 % are needed")
    silent = coverage(SERVICE, premised(budget=a_report(an_slo(silent_s=301.0, coverage=0.97))), NOW)
    assert silent.answer is Answer.UNKNOWN
    assert silent.why == "nothing known for 5 min 01 s (limit 5 min); 97 % of the last 24 h known"
    assert silent.since == NOW - timedelta(seconds=301)
    assert (
        coverage(SERVICE, premised(budget=a_report(an_slo(coverage=0.95, silent_s=300.0))), NOW).answer is Answer.PASS
    )


def test_coverage_is_asked_of_every_objective() -> None:
    gate = coverage(SERVICE, premised(budget=a_report(an_slo(), an_slo(name="fast", coverage=0.5))), NOW)
    assert (gate.answer, gate.why) == (Answer.UNKNOWN, "fast: 50 % of the last 24 h known, 95 % are needed")


def test_a_persons_word_lets_what_is_not_known_pass_and_says_whose_it_is() -> None:
    docket = Docket(attestations=(VOUCHED,))
    little = premised(budget=a_report(an_slo(coverage=0.62)), docket=docket)
    gate = coverage(SERVICE, little, NOW)
    assert gate.answer is Answer.PASS
    assert gate.why == (
        "62 % of the last 24 h known, 95 % are needed; "
        "ana vouches for it until 2025-01-15 15:02 UTC: their exporter was restarted"
    )
    assert gate.warns
    assert coverage(SERVICE, little, NOW + HOUR).answer is Answer.UNKNOWN
    assert coverage(SERVICE, replace(little, budget=None), NOW).answer is Answer.UNKNOWN
    revoked = replace(little, docket=Docket(attestations=(replace(VOUCHED, revoked=NOW),)))
    assert coverage(SERVICE, revoked, NOW).answer is Answer.UNKNOWN


def test_a_services_clock_in_another_zone_is_told_in_utc() -> None:
    report = a_report(payback=PaybackReport(262.8, 720.0, MONTH, (DEBT,), DEBT), outages=(OUTAGE,))
    elsewhere = replace(DEBT, until=UNTIL.astimezone(ZoneInfo("Europe/Berlin")))
    other = a_report(payback=PaybackReport(262.8, 720.0, MONTH, (elsewhere,), elsewhere), outages=(OUTAGE,))
    said = [payback(SERVICE, premised(budget=one), NOW).why for one in (report, other)]
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0s"),
        (41.9, "41s"),
        (720, "12m00s"),
        (-460.8, "-7m41s"),
        (21_600, "6h00m"),
        (266_400, "3d02h"),
        (-0.5, "-1s"),
    ],
)
def test_spans_are_never_more_than_there_is(seconds: float, said: str) -> None:
    assert span(seconds) == said


def test_ratios_are_told_on_the_dearer_side() -> None:
    assert [times(720.0, 262.8), times(263.8, 262.8), times(1080.0, 262.8), times(525.6, 262.8)] == [
        "2.74",
        "1.01",
        "4.11",
        "2.00",
    ]
    assert [whole_percent(ratio) for ratio in (1.0, 0.29, 0.2999, -1.777)] == ["100 %", "29 %", "29 %", "-178 %"]


@given(
    left=st.none() | st.floats(-5, 1),
    seconds=st.tuples(*[st.sampled_from((0, 60, 3_600))] * 3),
    bad=st.integers(0, 3),
    silent=st.none() | st.floats(0, 1_000),
    covered=st.none() | st.floats(0, 1),
    reported=st.booleans(),
    paid=st.booleans(),
)
def test_no_budget_gate_passes_on_missing_facts(
    left: float | None,
    seconds: tuple[int, int, int],
    bad: int,
    silent: float | None,
    covered: float | None,
    reported: bool,
    paid: bool,
) -> None:
    good_s, idle_s, bad_s = seconds
    window = a_window(
        left=left, left_s=None if left is None else left * 2_592, good_s=good_s, idle_s=idle_s, bad_s=bad_s, bad=bad
    )
    report = a_report(
        an_slo(window, silent_s=silent, coverage=covered), payback=PaybackReport(262.8, 0.0, MONTH) if paid else None
    )
    premises = premised(budget=report if reported else None)
    budget_gate, known, debts = (ask(SERVICE, premises, NOW) for ask in (error_budget, coverage, payback))
    if not reported or silent is None:
        assert Answer.PASS not in {budget_gate.answer, known.answer, debts.answer}
    if left is None and not good_s + idle_s + bad_s:
        assert budget_gate.answer is not Answer.PASS
    if left is not None and left <= 0:
        assert budget_gate.answer is not Answer.PASS
    if covered is None or covered < 0.95 or silent is None or silent > 300:
        assert known.answer is not Answer.PASS
    if not paid:
        assert debts.answer is not Answer.PASS
    for gate in (budget_gate, known, debts):
        assert gate.why
        assert gate.answer is Answer.PASS or gate.lifts
