"""Whether a service's judge has been tried on releases that never were, in words."""

from pipeline.judge.look import Calibration
from pipeline.judge.trial import fingerprint
from pipeline.model import JudgeRules
from pipeline.words import duration, percent

DAY_S = 86_400


def words(told: Calibration) -> str:
    """What placebo canaries showed."""
    return (
        f"{told.false} of {told.canaries} placebo canaries were rolled back, at most {percent(told.bound, 1)} "
        f"(over {duration(DAY_S * told.days)} of history)"
    )


def standing(told: Calibration | None, rules: JudgeRules) -> tuple[bool, str]:
    """(whether it holds for these settings, how to say it)."""
    if told is None:
        return False, "uncalibrated: no placebo canaries yet"
    if told.settings != fingerprint(rules):
        return False, f"uncalibrated: its settings have changed since {told.at:%Y-%m-%d %H:%M} UTC"
    if told.bound > rules.false_rollback:
        return (
            False,
            f"uncalibrated: {words(told)}, which does not show the {percent(rules.false_rollback, 1)} asked for",
        )
    return True, f"calibrated: {words(told)}"
