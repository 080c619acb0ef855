"""A release that failed before any host took it: it says why, and is not banned."""

import pytest
from world import Company, Verb

from pipeline.commands import Refused
from pipeline.events import Intent, Outcome, Result
from pipeline.model import Host
from pipeline.release.hostwork import Journal
from pipeline.view import State

MISSING = "nothing done: no artifact /srv/builds/web-r999.tar.gz: No such file or directory"


def failing(company: Company, why: str) -> None:
    """Every deploy of r999 fails so, and the hosts know nothing of it."""
    deploy = company.world.deploy

    async def fail(host: Host, intent: Intent, token: int, deadline_s: float) -> Outcome:
        if intent.revision == "r999" and why:
            return Outcome(intent.operation, Result.FAILED, why, company.world.clock.now())
        return await deploy(host, intent, token, deadline_s)

    company.world.deploy = fail  # type: ignore[method-assign]


async def undone(why: str) -> Company:
    company = Company()
    await company.ticks(3)
    failing(company, why)
    company.ask(Verb.SUBMIT, "r999")
    await company.until("rolled-back")
    return company


async def test_the_cause_of_the_first_failed_host_is_in_the_headline() -> None:
    company = await undone(MISSING)
    cause = "no artifact /srv/builds/web-r999.tar.gz: No such file or directory"
    assert company.rollout.why == f"the deploy failed on 2 of 2 hosts: stg-0, stg-1; stg-0: {cause}"
    assert company.row.state is State.LOCK
    assert company.row.why == f"r999 came to nothing: {company.rollout.why}; mend that and submit it again"


async def test_a_build_that_was_not_there_yet_may_be_submitted_again_also_after_a_restart() -> None:
    company = await undone(MISSING)
    assert all(machine.told == [] for machine in company.world.machines.values())
    company.start()
    await company.ticks(1)
    failing(company, "")
    company.world.deploy = type(company.world).deploy.__get__(company.world)  # type: ignore[method-assign]
    company.ask(Verb.SUBMIT, "r999")
    await company.until("settled")


async def test_a_build_that_a_host_took_and_gave_up_stays_out() -> None:
    company = await undone("restart failed: exit 1; r1 runs again")
    with pytest.raises(Refused, match="restart failed: exit 1"):
        company.ask(Verb.SUBMIT, "r999")
    assert "submit a newer revision" in company.row.why


def test_nothing_is_known_to_be_untaken_unless_every_attempt_says_so() -> None:
    attempts = {"web-1.forward.a": 2, "web-1.back.a": 1}
    first, second = {"web-1.forward.a.1": MISSING}, {"web-1.forward.a.2": MISSING}

    def journal(failed: dict[str, str]) -> Journal:
        return Journal({}, frozenset(), attempts, {}, failed)

    assert journal(first | second).untaken("web-1")
    assert not journal(first).untaken("web-1")
    assert not journal(first | {"web-1.forward.a.2": "restart failed"}).untaken("web-1")
    assert not journal(first | second).untaken("web-2")
    assert journal(second).cause("web-1", "a").startswith("no artifact ")
    assert journal(first).cause("web-1", "a") == ""
