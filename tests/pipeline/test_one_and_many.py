"""What the history says of one host and one check is English."""

from dataclasses import replace

from world import Company, Verb, World, make_hosts


async def test_one_staging_host_and_one_check_are_told_as_one() -> None:
    company = Company()
    company.service = replace(company.service, hosts=make_hosts(staging=1))
    company.world = World(company.service)
    company.start()
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-deploy")
    said = [event.detail for event in company.history.log if event.action == "staging"]
    assert said == ["goes to 1 staging host", "1 of 1 hosts healthy; 1 check runs"]
