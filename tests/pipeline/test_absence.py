"""Hosts that go and come back leave a line each in the history, and no more than a line a minute."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from world import Company, Verb

from pipeline.measured.absence import APART_S, NOBODY, TICKS, watched

HOSTS = ("a", "b", "c")


def told(company: Company) -> list[str]:
    return [event.detail for event in company.history.log if event.action == "host"]


async def idle(production: int = 10) -> Company:
    company = Company(production=production)
    await company.ticks(3)
    return company


async def test_a_host_that_goes_while_nothing_is_on_its_way_is_told_once_and_once_when_it_is_back() -> None:
    company = await idle()
    machine = company.world.machines["ams2-01"]
    machine.fault = "login refused"
    await company.ticks(TICKS)
    assert told(company) == []
    await company.ticks(80)
    assert told(company) == ["1 of 12 hosts does not answer: ams2-01: login refused"]
    machine.fault = ""
    await company.ticks(20)
    assert told(company)[1:] == ["ams2-01 answers again, after 1 min 23 s"]
    event = company.history.log[-1]
    assert (event.service, event.release, event.who.name) == ("checkout", "", "auto")
    assert company.controller.service("checkout").timeline[0].detail == event.detail


async def test_many_hosts_of_a_service_make_one_line() -> None:
    company = await idle()
    for name in ("stg-0", "fra1-00", "ams2-01", "iad1-02"):
        company.world.machines[name].fault = "connection refused"
    await company.ticks(TICKS + 1)
    assert told(company) == [
        "4 of 12 hosts do not answer: stg-0, fra1-00, ams2-01 and 1 more (stg-0: connection refused)"
    ]
    company.world.machines["stg-0"].fault = company.world.machines["fra1-00"].fault = ""
    await company.ticks(int(APART_S))
    assert told(company)[1:] == ["stg-0, fra1-00 answer again, after 4 s; 2 of 12 still do not: ams2-01, iad1-02"]


async def test_one_answer_that_is_missing_is_no_news() -> None:
    company = await idle()
    for _ in range(10):
        company.world.machines["ams2-01"].fault = "no answer in 2 s"
        await company.ticks(TICKS)
        company.world.machines["ams2-01"].fault = ""
        await company.ticks(1)
    assert told(company) == []


async def test_what_the_history_refused_is_told_when_it_can_be() -> None:
    company = await idle()
    company.world.machines["ams2-01"].fault = "refused"
    company.history.broken = "disk full"
    await company.ticks(10)
    company.history.broken = ""
    await company.ticks(1)
    assert told(company) == ["1 of 12 hosts does not answer: ams2-01: refused"]


async def test_hosts_that_are_deployed_to_are_no_news() -> None:
    company = await idle()
    company.world.restart_s = 12.0
    company.ask(Verb.SUBMIT, "r2")
    await company.until("settled", 400)
    assert told(company) == []


@given(st.lists(st.sets(st.sampled_from(HOSTS)), max_size=200))
def test_however_hosts_flap_there_is_at_most_a_line_a_minute_and_gone_is_who_was_told_last(
    ticks: list[set[str]],
) -> None:
    state, lines = NOBODY, []
    for tick, silent in enumerate(ticks):
        before = state
        state, said = watched(state, HOSTS, dict.fromkeys(silent, "refused"), float(tick), 1.0)
        assert bool(said) == (state.gone != before.gone)
        if said:
            lines.append(tick)
            for name in state.gone:
                assert all(name in ticks[at] for at in range(tick - TICKS, tick + 1)) or name in before.gone
    assert all(later - earlier >= APART_S for earlier, later in pairwise(lines))


def test_while_nothing_changes_nothing_is_made_anew() -> None:
    assert watched(NOBODY, HOSTS, {}, 1.0, 1.0)[0] is NOBODY
    state = NOBODY
    for tick in range(10):
        state, _ = watched(state, HOSTS, {"a": "refused"}, float(tick), 1.0)
    assert watched(state, HOSTS, {"a": "refused"}, 11.0, 1.0)[0] is state
