"""The judge's word as a gate: only a pass opens it.

Data that are few as yet are a wait like any other; data that are missing leave the release unknown.
"""

from pipeline.gates import Answer, Gate
from pipeline.judge.verdict import Judgement, Verdict

_ANSWERS = {
    Verdict.PASS: Answer.PASS,
    Verdict.WATCH: Answer.HOLD,
    Verdict.FAIL: Answer.FAIL,
    Verdict.NO_DATA: Answer.UNKNOWN,
}
_LIFTS = {
    Verdict.WATCH: "by itself, if the difference goes",
    Verdict.FAIL: "nothing: a failing release is rolled back",
    Verdict.NO_DATA: "by itself, once there are enough data",
}


def verdict(judgement: Judgement | None, waited_s: float, stale_s: float) -> Gate:
    """`waited_s`: since there is something to judge; without a look for longer than `stale_s`, nobody looks."""
    if judgement is None:
        answer = Answer.HOLD if waited_s <= stale_s else Answer.UNKNOWN
        return Gate("verdict", answer, "no look yet", lifts=_LIFTS[Verdict.NO_DATA])
    word = judgement.verdict
    few = word is Verdict.NO_DATA and not judgement.missing
    answer = Answer.HOLD if few else _ANSWERS[word]
    return Gate("verdict", answer, f"{word.upper()} {judgement.why}", lifts=_LIFTS.get(word, ""))
