"""A simulated year gives the same blocks, in the same words, whether it is run through or restarted.

A restart hands on nothing but the history's file: what must hold is that the next controller says at that instant
what the one before would have said, and does the same afterwards. In `make test` it is restarted at the whole hours
around everything that happens, at those around which clocks and calendars jump, and now and then in between;
`make year` restarts it at every hour of the year, in slices of a minute, for each of `YEARS` seeds.
"""

import os
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from year import GOES, Told, Year
from year_plan import BEGIN, END, HOUR, Plan, berlin

from pipeline.gates import Answer
from pipeline.view import Deploy, GateReport

YEARS = int(os.environ.get("PITHEAD_YEARS", "0"))
JUMPS = (berlin(2024, 2, 29), berlin(2024, 3, 1), berlin(2024, 3, 31), berlin(2024, 10, 27))
"""Where the leap day begins and ends, and the days of both changes of the clocks in Berlin."""
SHM = Path("/dev/shm")
"""A disk's time is not what is tested here."""
EVERY_HOUR = frozenset(BEGIN + n * HOUR for n in range(1, int((END - BEGIN) / HOUR)))


def around(plan: Plan) -> frozenset[datetime]:
    """Whole hours at which a restart could tell another story, and some others."""
    before = {edge.replace(minute=0, second=0, microsecond=0) for edge in plan.edges}
    jumps = {day + n * HOUR for day in JUMPS for n in range(-2, 7)}
    return frozenset({*before, *(at + HOUR for at in before), *jumps, *sorted(EVERY_HOUR)[::149]}) & EVERY_HOUR


@dataclass
class Lived:
    """The year of a plan, both ways."""

    through: Year
    told: dict[datetime, Told]
    restarted: Year
    again: list[tuple[datetime, Told]]


def lived(plan: Plan, stops: Collection[datetime]) -> Iterator[Lived]:
    with tempfile.TemporaryDirectory(dir=SHM if os.access(SHM, os.W_OK) else None) as made:
        through = Year(plan, Path(made, "through", "history.db"), stops)
        restarted = Year(plan, Path(made, "restarted", "history.db"), stops, restarted=True)
        yield Lived(through, dict(through.run()), restarted, list(restarted.run()))
        through.history.close()
        restarted.history.close()


@pytest.fixture(scope="module")
def year() -> Iterator[Lived]:
    plan = Plan(9, 1_800, "0.99")
    yield from lived(plan, around(plan))


def same(year: Lived) -> None:
    """Every budget, outage and block at each step; every release; every answer and refusal, to the word."""
    assert year.restarted.started > len(year.restarted.stops)
    for at, said in year.again:
        assert said == year.told[at], at
    assert list(map(answer, year.restarted.asked)) == list(map(answer, year.through.asked))
    assert [str(no) for no in year.restarted.refused] == [str(no) for no in year.through.refused]
    assert year.restarted.whole == year.through.whole


def answer(report: GateReport) -> tuple[object, ...]:
    """All but the checklist's advice: whether metrics are there is not known anew before there are some."""
    return report.at, report.deploy, report.why, [gate for gate in report.gates if gate.name != "readiness"]


def test_a_year_restarted_around_all_that_happens_gives_the_blocks_of_one_run_through(year: Lived) -> None:
    same(year)
    paid = year.through.whole.payback
    assert paid is not None
    assert sum(debt.until < END for debt in paid.debts) >= 2, "blocks that have ended"
    assert any(outage.excluded for outage in year.through.whole.outages)
    assert any(outage.backfill for outage in year.through.whole.outages)
    assert any(report.deploy is Deploy.BLOCKED for report in year.through.asked)
    assert year.through.released


def test_a_block_moves_with_downtime_and_corrections_alone_not_over_a_leap_day_or_a_change_of_the_clocks(
    year: Lived,
) -> None:
    ends: dict[object, datetime] = {}
    for report, _ in year.told.values():
        block = report.payback.block if report is not None and report.payback is not None else None
        if report is not None and block is not None:
            assert ends.setdefault((block.breach, report.outages), block.until) == block.until
    assert len(ends) < len(year.told) / 5


def test_all_the_year_the_verb_refuses_in_the_words_of_the_gate(year: Lived) -> None:
    paying = 0
    for report, no in zip(year.through.asked, year.through.refused, strict=True):
        gate = next(gate for gate in report.gates if gate.name == "payback")
        if gate.answer is Answer.HOLD:
            assert no is not None
            assert no.why == report.why == f"payback: {gate.why}"
            assert no.mend == f"it lifts {gate.lifts}"
            paying += 1
        if report.deploy in GOES:
            assert no is None
    assert 0 < paying < len(year.through.asked)


@pytest.mark.skipif(not YEARS, reason="long: make year")
@pytest.mark.parametrize("seed", range(YEARS))
def test_a_year_restarted_every_hour_gives_the_blocks_of_one_run_through(seed: int) -> None:
    for whole in lived(Plan(seed, 60, "0.9995"), EVERY_HOUR):
        same(whole)
