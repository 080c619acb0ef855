"""What is said beside a verdict of errors that hardly ever happen."""

import pytest

from pipeline.judge.look import Group, HostLook, Look
from pipeline.judge.sequential import SequentialJudge
from pipeline.judge.trial import Prior, Trial
from pipeline.model import JudgeRules, MetricKind, MetricRule
from pipeline.signals import Sample

ERRORS = MetricRule("errors", "errors", MetricKind.RATIO, bad="errors", total="requests", unit="ratio")
HOSTS = ("c0", *(f"p{n}" for n in range(9)))


def caveats(*, canary: float, production: float, looks: int = 40) -> tuple[str, ...]:
    """Of looks of 5 s with 200 requests a host, and so many errors in the first of them."""
    rules = JudgeRules((ERRORS,), warmup_s=0.0, guard_burn=0.0)
    trial = Trial("s-1", 0, rules, 5.0, 60, dict.fromkeys(HOSTS, "dc"), HOSTS[:1], (), HOSTS[1:])
    judge = SequentialJudge()
    seen = judge.begin(trial, Prior())
    for number in range(looks):
        hosts = {}
        for name in HOSTS:
            errors = canary if name == "c0" else production
            sample = Sample(5.0, {"requests": 200.0, "errors": 0.0 if number else errors})
            hosts[name] = HostLook(Group.CANARY if name == "c0" else Group.PRODUCTION, sample, None)
        seen, said = judge.look(seen, Look(5.0, hosts, 1))
    return said.caveats


@pytest.mark.parametrize(
    ("canary", "production", "normal"),
    [
        (0.0, 0.0, "none seen so far"),
        (1.0, 0.0, "next to none are normal"),
    ],
)
def test_errors_that_production_does_not_have_are_told_without_a_number(
    canary: float, production: float, normal: str
) -> None:
    said = caveats(canary=canary, production=production)
    assert f"errors: {normal}: a mild regression goes unseen" in said


def test_few_errors_are_told_by_the_hour() -> None:
    (said,) = [each for each in caveats(canary=0.0, production=0.2) if each.startswith("errors: ")]
    assert said == "errors: 3.6 an hour are normal: a mild regression goes unseen"
