"""`budget`: the fleet worst first in 80 columns, one service's whole, and both as JSON."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.slo.report import BudgetReport
from pipeline.view import Budget, Deploy
from pithead import budget_page, budgets, spans
from pithead.exits import Exit
from pithead.verbs import budget
from tests.pithead import rules_samples as samples
from tests.pithead.rules_room import RulesRoom
from tests.pithead.rules_samples import BURNING, CALM, DARK, NOW, PAYBACK, SPENT, UNTIL, fleet
from tests.pithead.test_verbs import HOSTILE, Heard, typed
from tui.budget_order import worst_first
from tui.budget_rows import Board, draw
from tui.glyphs import ASCII
from tui.theme import Colors, palette
from tui.widgets.pane import Look


@pytest.fixture
def out() -> Heard:
    return Heard()


def at(later: timedelta = timedelta(0)) -> datetime:
    return NOW + later


async def test_budget_is_the_fleet_worst_first_in_80_columns(out: Heard) -> None:
    room = RulesRoom(fleet(search=CALM, ledger=DARK, payments=SPENT, checkout=BURNING))
    assert await budget.run(typed("budget"), room, out, at) == Exit.DONE
    assert out.lines == [
        " BUDGET rolling 30d | coverage: worst 99.2% | 2025-01-16 14:02:11Z",
        "  SERVICE  TARGET    LEFT USED              BURN 1h   6h GONE IN DEPLOY",
        "! payments 99.99   -7m41s [############]278%    0.0  0.0 spent   BLOCKED 88d",
        "! checkout 99.95    2m41s [########### ] 88%   14.9  6.3 6h00m   HOLD budget",
        "? ledger   99.9         ? [????????????]   -      -    - -       UNKNOWN covera~",
        "  search   99.9    31m10s [####        ] 29%    0.4  0.9 -       ok",
    ]


BUDGETS = st.builds(
    Budget,
    left=st.floats(-1e9, 1) | st.floats(-3, 1) | st.none() | st.just(float("nan")),
    window=st.just("30d"),
    target=st.sampled_from(["99.99", "", "99.9999"]),
    left_s=st.floats(-2_600_000, 2_600_000) | st.none(),
    burn_1h=st.floats(0, 1e6) | st.none() | st.just(float("inf")),
    burn_6h=st.floats(0, 1e6) | st.none(),
    gone_in_s=st.floats(0, 2_600_000) | st.none(),
    deploy=st.sampled_from(Deploy),
    deploy_why=st.sampled_from(["", "payback: x", "a gate of a long name: y", HOSTILE]),
    deploy_until=st.none() | st.just(UNTIL) | st.just(NOW - timedelta(days=1)),
    coverage=st.floats(0, 1) | st.none(),
)


async def test_the_gate_is_named_as_far_as_there_is_room(out: Heard) -> None:
    its = {
        name: replace(BURNING, deploy_why=f"{why}: x") for name, why in (("a", "check smoke"), ("b", "canary-overlap"))
    }
    assert await budget.run(typed("budget"), RulesRoom(fleet(**its)), out, at) == Exit.DONE
    assert [line.partition("6h00m ")[2].strip() for line in out.lines[2:]] == [
        "HOLD check smoke",
        "HOLD canary-overlap",
    ]
    for room, said in ((16, "HOLD check smoke"), (15, "HOLD check"), (9, "HOLD che~"), (5, "HOLD")):
        assert budgets._deploy(its["a"], NOW, room) == said


@given(st.dictionaries(st.text("abc-.", min_size=1, max_size=100), BUDGETS, max_size=4))
def test_every_fleet_fits_in_80_columns_and_unknown_never_reads_as_full(its: dict[str, Budget]) -> None:
    lines = list(budgets.table(fleet(**its)))
    assert len(lines) == 2 + len(its)
    assert all(len(line) <= 80 for line in lines)
    dark = [line for line in lines[2:] if "?]" in line]
    assert all(line.startswith(("?", "!")) for line in dark)


async def test_budgets_in_json_are_by_service(out: Heard) -> None:
    room = RulesRoom(fleet(payments=SPENT, ledger=DARK))
    assert await budget.run(typed("budget", "--json"), room, out, at) == Exit.DONE
    told = json.loads(out.lines[0])
    assert msgspec.convert(told["budgets"], dict[str, Budget]) == {"payments": SPENT, "ledger": DARK}


async def test_an_old_fleet_is_shown_and_ends_with_3(out: Heard) -> None:
    room = RulesRoom(fleet(payments=SPENT))
    assert await budget.run(typed("budget"), room, out, lambda: at(timedelta(hours=1))) == Exit.UNKNOWN
    assert out.errors == ["pithead: budget: the controller has been silent for 1 h, this is old: look at its log"]


async def test_one_services_budget_is_told_whole(out: Heard) -> None:
    room = RulesRoom(
        gates={"payments": samples.gate_report()},
        budgets={"payments": samples.budget_report()},
        dockets={"payments": samples.docket()},
    )
    assert await budget.run(typed("budget", "payments"), room, out, at) == Exit.DONE
    page = "\n".join(out.lines)
    for said in (
        f"payments BLOCKED: {PAYBACK}\n  payback: it lifts by itself on that day; since 2025-01-15 09:04 UTC\n",
        "\navailability 99.99 %, counted in slices\n",
        "  rolling 30d: -7m42s left (-178 %)",
        "    achieved 99.972 % (between 99.833 and 99.972); 280 of 1,000,000 requests bad; down 12m00s; not known: ",
        "; not known: 1h00m of this window",
        "  month 2025-01 UTC: ? left (?): too few events",
        "  burn 1h 14.9, 6h -; spent",
        "  coverage of 24 h 99.2%; newest data 41 s old",
        "  page   above 14.4 over 1 h and 5 min: 16.2 and -  FIRES",
        "payback: quota 262.8 s a month; 720 s used since 2025-01-01 00:00 UTC",
        "  BLOCK from 2025-01-15 09:04 UTC: 720 s of 262.8 s = 2.74 -> 3 months, until 2025-04-15 09:04 UTC",
        "  past block from 2023-02-15 09:04 UTC: 4,000 s of 262.8 s = 15.23 -> 12 months, the most that",
        "  2025-01-15 09:00:00 UTC  12m00s",
        "  2025-01-14 09:00:00 UTC  1h00m; not charged: fix-1 by ana, approved by ben: provider; read afterwards",
        "  fix-1 exclude 2025-01-14 09:00 UTC for 1h00m, by ana: provider (INC-77); approved by ben",
        "  fix-3 good 2025-01-15 09:00 UTC for 1h00m, by eve: no; revoked 2025-01-16 14:02 UTC",
    ):
        assert said in page


def test_slices_are_told_where_slices_count_and_how_much_of_a_burn_is_known() -> None:
    report = samples.budget_report()
    slo = replace(report.slos[0], slice_s=20, burn=(replace(report.slos[0].burn[0], known_s=360.0),))
    page = "\n".join(budget_page.page(replace(report, slos=(slo,)), samples.gate_report(), ()))
    assert "36 of 129,603 slices bad; down 12m00s" in page
    assert "above 14.4 over 1 h (6 min of it known) and 5 min: 16.2 and -  FIRES" in page


async def test_a_budget_report_in_json_comes_back_as_it_was_but_for_numbers_that_are_none(out: Heard) -> None:
    room = RulesRoom(budgets={"payments": samples.budget_report()})
    assert await budget.run(typed("budget", "payments", "--json"), room, out, at) == Exit.DONE
    told = msgspec.json.decode(out.lines[0], type=BudgetReport)
    slo = samples.budget_report().slos[0]
    finite = replace(slo, burn=(replace(slo.burn[0], short=None), slo.burn[1]))
    assert told == replace(samples.budget_report(), slos=(finite,))


def test_exactly_three_quotas_read_as_three() -> None:
    debt = replace(samples.budget_report().payback.debts[1], downtime_s=788.4)  # type: ignore[union-attr]
    payback = replace(samples.budget_report().payback, debts=(debt,), block=debt, held_open=True)  # type: ignore[type-var]
    report = replace(samples.budget_report(), payback=payback)
    page = "\n".join(budget_page.page(report, samples.gate_report(), ()))
    assert "788.4 s of 262.8 s = 3.00 -> 3 months" in page
    assert "it ends when that does" in page


def test_a_service_without_objectives_and_payback_says_so() -> None:
    report = BudgetReport("web", NOW, (), None)
    page = list(budget_page.page(report, samples.gate_report("web", Deploy.OK, "all gates pass"), ()))
    assert page == ["web ok: all gates pass", "no objective is set", "payback: switched off"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "?"),
        (float("nan"), "?"),
        (0.0, "0s"),
        (-0.2, "-1s"),
        (41.9, "41s"),
        (161.9, "2m41s"),
        (-460.8, "-7m41s"),
        (21_600.0, "6h00m"),
        (-3_601.0, "-1h00m"),
        (86_399.0, "23h59m"),
        (90_000.0, "1d01h"),
        (-90_001.0, "-1d01h"),
    ],
)
def test_time_left_is_cut_and_never_rounded_up(seconds: float | None, said: str) -> None:
    assert spans.left(seconds) == said


BUDGETED = st.dictionaries(st.text("abc", min_size=1, max_size=3), BUDGETS, max_size=6)


@given(BUDGETED)
def test_verb_and_screen_have_the_same_order_and_the_same_signs(its: dict[str, Budget]) -> None:
    view = fleet(**its)
    rows = worst_first(view.services)
    board = Board.of(rows, view.at)
    look = Look(ASCII, palette(Colors.NONE))
    drawn = ["".join(text for text, _ in draw(row, 80, False, board, look)) for row in rows]
    told = list(budgets.table(view))[2:]
    assert [line[0] for line in told] == [line[1] for line in drawn]
    assert [line[2:].split()[0] for line in told] == [row.name for row in rows]


@pytest.mark.parametrize(("days", "said"), [(1252, "BLOCKED 1252d"), (89.9, "BLOCKED 89d"), (1.5, "BLOCKED 36h")])
def test_verb_and_screen_say_the_same_days_whole_in_80_columns(days: float, said: str) -> None:
    view = fleet(payments=replace(SPENT, deploy_until=NOW + timedelta(days=days)))
    (row,) = view.services
    runs = draw(row, 80, False, Board.of([row], view.at), Look(ASCII, palette(Colors.NONE)))
    assert "".join(text for text, _ in runs).rstrip().endswith(said)
    assert list(budgets.table(view))[-1].endswith(said)
