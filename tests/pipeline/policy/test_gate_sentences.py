"""What lifts a gate reads as a sentence, whichever gate it is."""

import pytest

from pipeline.gates import Answer, Gate
from pipeline.policy.wording import lifted, mend
from pipeline.words import either

SAID = [
    ("", "wait"),
    ("by itself", "wait; it lifts by itself"),
    ("when they answer; or roll back", "wait; it lifts when they answer; or roll back"),
    ("a person: pithead unlock pricing", "wait, or a person lifts it: pithead unlock pricing"),
    (
        "by itself at its end, or a person: pithead unlock pricing",
        "wait; it lifts by itself at its end, or a person lifts it: pithead unlock pricing",
    ),
    ("an operator: P on the screen", "an operator lifts it: P on the screen"),
    ("nothing: a failing release is rolled back", "nothing lifts it: a failing release is rolled back"),
]


@pytest.mark.parametrize(("lifts", "said"), SAID)
def test_a_refusal_says_what_to_do(lifts: str, said: str) -> None:
    gate = Gate("any", Answer.HOLD, "so", lifts=lifts)
    assert mend(gate) == said
    assert said.endswith(lifted(gate))


def test_several_people_are_any_of_them() -> None:
    assert either([]) == ""
    assert either(["ana"]) == "ana"
    assert either(["ana", "ben"]) == "ana or ben"
    assert either(["ana", "ben", "eva"]) == "ana, ben or eva"
    assert either(["ana", "ben", "cem", "dan", "eva"]) == "ana, ben, cem or 2 more"
