"""The judge's word as a gate: only a pass opens it."""

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


def verdict(judgement: Judgement | None) -> Gate:
    if judgement is None:
        return Gate("verdict", Answer.UNKNOWN, "no look yet", lifts=_LIFTS[Verdict.NO_DATA])
    word = judgement.verdict
    return Gate("verdict", _ANSWERS[word], f"{word.upper()} {judgement.why}", lifts=_LIFTS.get(word, ""))
