"""`pithead judge placebo`: canaries of no release, drawn from a service's recorded history."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.commands import Refused
from pipeline.judge.look import Calibration
from pipeline.judge.sequential import SequentialJudge
from pipeline.judge.trial import fingerprint
from pipeline.model import Service
from pipeline.ports import ControlRoom
from pipeline.rehearsal.findings import Conclusion, Findings, findings
from pipeline.rehearsal.past import Past
from pipeline.rehearsal.placebo import Ending, Placebo, Stage, TooShort, draw, play, stage
from pipeline.words import duration, percent
from pithead.exits import Exit, Failure
from pithead.judging.crowd import each
from pithead.judging.ending import ends_at_once
from pithead.judging.fetch import recorded
from pithead.judging.means import Means
from pithead.names import service_name
from pithead.out import Out

EVER = datetime(1970, 1, 1, tzinfo=UTC)
CODES = {
    Conclusion.CALIBRATED: Exit.DONE,
    Conclusion.TOO_OFTEN: Exit.REFUSED,
    Conclusion.TOO_FEW: Exit.UNKNOWN,
    Conclusion.TOO_SHORT: Exit.UNKNOWN,
}
UNSHOWN = frozenset({Conclusion.TOO_FEW, Conclusion.TOO_SHORT})
"""What would call a service calibrated that nobody has shown to be."""


@dataclass(frozen=True, slots=True)
class _Play:
    """The work on one placebo."""

    on: Stage

    def __call__(self, placebo: Placebo) -> Ending:
        return play(SequentialJudge(), self.on, placebo)


async def run(args: Namespace, room: ControlRoom, out: Out, means: Means | None = None) -> int:
    means = means if means is not None else Means()
    service = await room.configured(service_name(args.service))
    with ends_at_once(), means.progress.at_work():
        on, endings = await _played(args, room, service, means)
    found = findings(on, endings, args.seed)
    kept = await _keep(room, service, found, means)
    if args.json:
        out.json({**_as_dict(found), "kept": kept})
    else:
        for line in told(found):
            out.line(line)
        out.line(kept)
    return CODES[found.conclusion]


async def _played(args: Namespace, room: ControlRoom, service: Service, means: Means) -> tuple[Stage, Sequence[Ending]]:
    try:
        past = await _past(room, service, means)
        means.progress.tell("placebo canaries", 0, args.canaries)
        on = stage(service, past, args.looks)
        placebos = [draw(on, number, args.seed) for number in range(args.canaries)]
        endings = await each(
            _Play(on),
            placebos,
            lambda done: means.progress.tell("placebo canaries", done, len(placebos)),
            cores=means.cores,
            clock=means.seconds,
        )
    except TooShort as short:
        mend = f"leave the controller running and try again in {duration(short.wait_s)}"
        if await _on_its_way(room, service.name):
            mend = "no history is kept while a release is judged: finish or cancel it, or try another service"
        raise Failure(f"judge placebo {service.name}", str(short), mend, Exit.UNKNOWN) from None
    finally:
        means.progress.over()
    return on, endings


async def _on_its_way(room: ControlRoom, service: str) -> bool:
    """Whether a release of it is on its way."""
    async for view in room.service(service):
        return bool(view.row.release)
    return False


async def _past(room: ControlRoom, service: Service, means: Means) -> Past:
    past = Past(service.production)
    async for page in recorded(room, service.name, EVER):
        past = past.then(page)
        means.progress.tell(f"history of {service.name}, looks", len(past.looks))
    means.progress.over()
    return past


async def _keep(room: ControlRoom, service: Service, found: Findings, means: Means) -> str:
    """Have the controller keep it; what became of that, in a sentence."""
    if found.conclusion in UNSHOWN:
        return f"not kept: {found.conclusion}"
    if room.read_only:
        return "not kept: this line is read-only"
    calibration = Calibration(
        service.name,
        means.now(),
        "",
        found.canaries,
        found.false,
        found.bound,
        fingerprint(service.rules.judge),
        found.seconds / 86_400,
        found.step_s,
    )
    try:
        return (await room.calibrate(calibration)).said
    except Refused as refused:
        return f"not kept: {refused}"


def _as_dict(found: Findings) -> dict[str, object]:
    return {name: getattr(found, name) for name in found.__slots__}


def told(found: Findings) -> Iterator[str]:
    yield (
        f"{found.service}: {found.false} of {found.canaries} placebo canaries were rolled back, {percent(found.rate)}; "
        f"at most {percent(found.bound)} (95 %), configured {percent(found.configured)}"
    )
    whole = "a whole traffic cycle" if found.looks >= found.planned else f"of {duration(found.planned * found.step_s)}"
    lasts = f"{found.looks} looks {_step(found.step_s)} apart, {duration(found.looks * found.step_s)}: {whole}"
    yield f"  each      {found.canary_hosts} of {found.hosts} hosts, {found.host_sets} different draws; {lasts}"
    yield f"  history   {duration(found.seconds)}, a look every {_step(found.recorded_s)}; seed {found.seed}"
    yield (
        f"  apart     stretches overlap, so these canaries are not independent; of {found.apart} that share no moment "
        f"{found.apart_false} rolled back, at most {percent(found.apart_bound)} (95 %)"
    )
    for metric, times in found.by.items():
        yield f"  by        {metric}: {times}"
    yield "  not tried a deploy's own restart: in recorded history everyone is warm"
    yield f"{found.conclusion.upper()}: {found.advice}"


def _step(seconds: float) -> str:
    return duration(seconds) if seconds >= 60 else f"{seconds:.3g} s"
