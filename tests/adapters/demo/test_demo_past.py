"""The company's past is in its history before its controller starts, and the rules read it as they would their own."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.config import DemoSettings, Settings, demo_config_path, load
from adapters.demo.past import OUTAGE, past, write_past
from adapters.history.sqlite import SqliteHistory
from pipeline.docket import Correction, CorrectionKind
from pipeline.slo.rebuilt import rebuilt

NOW = datetime(2026, 3, 2, 14, 7, 33, 250_000, tzinfo=UTC)
SETTINGS = load(demo_config_path())
BILLING, CART, ORDERS = (SETTINGS.fleet.services[name] for name in ("billing", "cart", "orders"))
moments = st.floats(1.70e9, 1.95e9).map(lambda at_s: datetime.fromtimestamp(at_s, UTC))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("past") / "state" / "history.db"
    write_past(path, SETTINGS, NOW)
    return path


@pytest.fixture
def history(kept: Path):
    made = SqliteHistory(kept)
    made.start()
    yield made
    made.close()


def test_twelve_minutes_18_days_ago_block_billing_for_three_months(history: SqliteHistory) -> None:
    report = rebuilt(BILLING, history, (), {}, NOW).report(NOW)
    block = report.payback.block if report.payback is not None else None
    assert block is not None
    assert (block.downtime_s, block.quota_s, block.months) == (720.0, 262.8, 3)
    assert block.breach == datetime(2026, 2, 12, 9, 4, 22, 800_000, tzinfo=UTC)
    assert block.until == datetime(2026, 5, 12, 9, 4, 22, 800_000, tzinfo=UTC)
    assert [(one.start, one.end - one.start) for one in report.outages] == [
        (datetime(2026, 2, 12, 9, tzinfo=UTC), timedelta(minutes=12))
    ]
    slo = report.slos[0]
    assert (slo.coverage, slo.rolling.unknown_s) == (1.0, 0)
    assert slo.rolling.left == pytest.approx(1 - 720 / 259.2)


def test_an_approved_exclusion_of_the_outage_ends_the_block(history: SqliteHistory) -> None:
    start, end = OUTAGE.span(NOW)
    fix = Correction(
        "fix-1",
        "billing",
        start,
        end,
        CorrectionKind.EXCLUDE,
        "ana",
        1,
        NOW,
        "announced",
        approved_by="ben",
        approved=NOW,
    )
    report = rebuilt(BILLING, history, (fix,), {}, NOW).report(NOW)
    assert report.payback is not None and report.payback.block is None


def test_others_have_their_whole_window_behind_them_and_most_of_their_budget(history: SqliteHistory) -> None:
    report = rebuilt(CART, history, (), {}, NOW).report(NOW)
    slo = report.slos[0]
    assert slo.rolling.total > 50_000
    assert slo.rolling.left is not None and 0.5 < slo.rolling.left < 0.9
    assert (slo.coverage, report.outages) == (1.0, ())
    assert report.payback is not None and report.payback.block is None


def test_every_objective_has_a_past_so_that_a_slow_start_does_not_spend_it(history: SqliteHistory) -> None:
    report = rebuilt(ORDERS, history, (), {}, NOW).report(NOW)
    quick = report.slos[1]
    assert quick.rolling.total > 50_000
    assert quick.rolling.left is not None and 0.5 < quick.rolling.left < 0.9
    assert quick.coverage == 1.0


def test_a_company_without_that_service_has_no_outage(tmp_path: Path) -> None:
    text = demo_config_path().read_text().replace("service.billing", "service.invoices")
    config = tmp_path / "config.toml"
    config.write_text(text)
    found: Settings = load(config)
    assert not any(piece.down for piece in past(found.fleet.services["invoices"], DemoSettings(), NOW))


@given(moments)
@settings(max_examples=20, deadline=None)
def test_the_outage_is_one_of_one_month_whenever_the_demo_is_started(now: datetime) -> None:
    pieces = list(past(BILLING, DemoSettings(), now))
    down = [piece for piece in pieces if piece.down]
    assert len(down) == 36
    assert len({(piece.start.year, piece.start.month) for piece in down}) == 1
    assert all(one.start + timedelta(seconds=one.length_s) == other.start for one, other in pairwise(pieces))
    assert all(piece.start.timestamp() % min(piece.length_s, 3_600) == 0 for piece in pieces)
    newest = pieces[-1].start + timedelta(seconds=pieces[-1].length_s)
    assert timedelta(0) <= now - newest < timedelta(seconds=20)
    assert now - pieces[0].start >= timedelta(days=OUTAGE.known_days)


@given(moments)
@settings(max_examples=20, deadline=None)
def test_the_past_of_the_others_is_whole_and_ends_where_the_controller_begins_to_count(now: datetime) -> None:
    pieces = list(past(CART, DemoSettings(), now))
    assert now - pieces[0].start >= timedelta(seconds=CART.rules.budget.window_s)
    assert all(one.start + timedelta(seconds=one.length_s) == other.start for one, other in pairwise(pieces))
    assert pieces[-1].start + timedelta(seconds=pieces[-1].length_s) <= now
    assert not any(piece.down for piece in pieces)
