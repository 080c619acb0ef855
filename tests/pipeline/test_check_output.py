"""What a failed check's program has said is kept with the event that tells of it."""

from dataclasses import replace

from world import Behaviour, Company, World

from pipeline.checks import CheckRule
from pipeline.commands import Verb
from pipeline.lifecycle import CheckResult
from pipeline.model import Service


class Talkative(World):
    async def run(self, check: CheckRule, service: Service, revision: str) -> CheckResult:
        result = await super().run(check, service, revision)
        return result if result.passed else replace(result, output=("1 of 3 failed", "see \x1b[31mred"))


async def test_the_last_lines_of_a_failed_check_stand_in_its_event() -> None:
    company = Company()
    company.world = Talkative(company.service)
    company.start()
    company.world.behaviours["r2"] = Behaviour(check_passes=False)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.ticks(60)
    (told,) = [event for event in company.history.log if "check smoke failed" in event.detail]
    assert told.evidence == ("1 of 3 failed", "see \ufffd[31mred")
