"""The line under a verdict: by what it was reached, and what someone should look at."""

from pipeline.judge.wording import evidence
from pipeline.view import JudgeView, ServiceView
from tui.widgets.pane import Look, crop, ends
from tui.widgets.runs import Runs, length

HELD = ": held against "
"""In a control: between why none beside the canary is compared with, and what is."""
NARROW = 60
"""Below this the gravest takes the whole line."""


def judging_line(view: ServiceView, width: int, look: Look) -> Runs:
    """Alerts, else the control, at the left; warm-up, "uncalibrated" and evidence at the right; () if none judges."""
    judge = view.judge
    if judge is None:
        return ()
    right = _facts(judge, look)
    left = _alert(judge, look) if judge.alerts else _control(judge, width - length(right), look)
    if width < NARROW:
        return crop(right if right and not judge.alerts else left, width, look.glyphs.more)
    for forms in _extras(judge, look):
        for more in forms:
            if length(left) + length(right) + length(more) < width:
                right = (*more, *right)
                break
    return ends(left, right, width, look.glyphs.more)


def _alert(judge: JudgeView, look: Look) -> Runs:
    count = len(judge.alerts)
    return (
        (
            f" {look.glyphs.watched} {'alert' if count == 1 else f'{count} alerts'}: {judge.alerts[0]}",
            look.palette.warn,
        ),
    )


def against(control: str, lead: str = "judged ") -> str:
    """As in "judged against 9 production hosts".

    Why none beside the canary is compared with stays first: "2 production hosts are too few to compare with: judged
    against production before".
    """
    few, held, before = control.partition(HELD)
    return f"{few}: judged against {before}" if held else f"{lead}against {control or 'nothing'}"


def _control(judge: JudgeView, room: int, look: Look) -> Runs:
    said = against(judge.control, lead="")
    if len(said) + 2 > room:
        # Of a reason and what is compared with, the second must not be cut.
        said = f"against {judge.control.rpartition(HELD)[2] or 'nothing'}"
    return ((f" {said}", look.palette.dim),)


def _facts(judge: JudgeView, look: Look) -> Runs:
    """What must not be missed."""
    runs: Runs = ()
    if judge.warmup:
        runs = ((f"  warm-up {judge.warmup}", look.palette.move),)
    if not judge.calibrated:
        runs = (*runs, ("  uncalibrated", look.palette.dim))
    return runs


def _extras(judge: JudgeView, look: Look) -> tuple[tuple[Runs, ...], ...]:
    """What is said where there is room, the more useful first; of each the longest form that fits."""
    dim = look.palette.dim
    of_what = f"  evidence {evidence(judge.evidence)} of what rolls it back"
    found: list[tuple[Runs, ...]] = [(((of_what, dim),), ((f"  evidence {evidence(judge.evidence, '')}", dim),))]
    if judge.alerts and judge.control:
        found.append((((f"  vs {judge.control.rpartition(HELD)[2].partition(',')[0]}", dim),),))
    return tuple(found)
