"""`pithead judge simulate`: good and bad releases on made-up traffic of a service's size."""

import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from pipeline.judge.sequential import SequentialJudge
from pipeline.model import Control, JudgeRules
from pipeline.placement import canary_size
from pipeline.ports import ControllerLost, ControlRoom
from pipeline.rehearsal.fault import FAULTS, NONE
from pipeline.rehearsal.profile import METRICS, Profile
from pipeline.rehearsal.rehearse import Outcome, rehearse
from pipeline.rehearsal.traffic import scenario
from pipeline.signals import Sample
from pipeline.text import plain
from pithead.exits import Exit, Failure
from pithead.judging import tables
from pithead.judging.crowd import each
from pithead.judging.ending import ends_at_once
from pithead.judging.fetch import recorded
from pithead.judging.means import Means
from pithead.judging.sizing import MADE_UP, MOST_LOOKS, Sized, served, sized, with_history
from pithead.names import service_name
from pithead.out import Out

USUAL = ("x2", "x5", "+1pp", "lat+25%", "lat+100%", "leak", "cpu+20%", "one-dc", "blackhole", "crash-loop")
GOOD_TIMES = 5
"""So many times more good releases than bad ones of a kind: a small rate takes many tries to see."""
LOOK_BACK = timedelta(days=1)
SEEDS_APART = 1_000_000


@dataclass(frozen=True, slots=True)
class Job:
    fault: str
    number: int


@dataclass(frozen=True, slots=True)
class _Rehearse:
    """The work on one release."""

    profile: Profile
    rules: JudgeRules
    seed: int

    def __call__(self, job: Job) -> Outcome:
        seed = self.seed * SEEDS_APART + job.number
        return rehearse(
            SequentialJudge(), scenario(self.profile, FAULTS[job.fault], seed, self.rules), timer=time.perf_counter
        )


async def run(args: Namespace, room: ControlRoom | None, out: Out, means: Means | None = None) -> int:
    means = means if means is not None else Means()
    faults = _faults(args.faults)
    with ends_at_once(), means.progress.at_work():
        like, jobs, outcomes = await _rehearsed(args, room, faults, means)
    by_fault: dict[str, list[Outcome]] = {}
    for job, outcome in zip(jobs, outcomes, strict=True):
        by_fault.setdefault(job.fault, []).append(outcome)
    if args.json:
        out.json(_as_dict(like, by_fault, args.seed))
    else:
        _tell(like, by_fault, args.seed, out, blocks=means.blocks)
    return Exit.DONE


async def _rehearsed(
    args: Namespace, room: ControlRoom | None, faults: Sequence[str], means: Means
) -> tuple[Sized, Sequence[Job], Sequence[Outcome]]:
    try:
        like = await _of_service(args, room, means) if room is not None else Sized(MADE_UP, JudgeRules(METRICS))
        like = _as_typed(args, like)
        jobs = [
            Job(name, number)
            for name in (NONE.name, *faults)
            for number in range(args.runs * (GOOD_TIMES if name == NONE.name else 1))
        ]
        means.progress.tell("releases", 0, len(jobs))
        try:
            outcomes = await each(
                _Rehearse(like.profile, like.rules, args.seed),
                jobs,
                lambda done: means.progress.tell("releases", done, len(jobs)),
                cores=means.cores,
                clock=means.seconds,
            )
        except ValueError as wrong:
            raise Failure(
                "judge simulate", plain(str(wrong)), "more hosts, or fewer of the others", Exit.USAGE
            ) from None
    finally:
        means.progress.over()
    return like, jobs, outcomes


def _faults(typed: str) -> tuple[str, ...]:
    """Those to simulate besides good releases."""
    if not typed:
        return USUAL
    names = [name.strip() for name in typed.split(",") if name.strip()]
    if names == ["all"]:
        return tuple(name for name in FAULTS if name != NONE.name)
    for name in names:
        if name not in FAULTS:
            why = f"no fault {plain(name, 40)}"
            raise Failure("judge simulate --faults", why, f"there are all, {', '.join(FAULTS)}", Exit.USAGE)
    return tuple(name for name in dict.fromkeys(names) if name != NONE.name)


async def _of_service(args: Namespace, room: ControlRoom, means: Means) -> Sized:
    service = await room.configured(service_name(args.service))
    if len(service.production) < 2:
        why = f"production of {len(service.production)} leaves no host to hold a canary against"
        raise Failure(f"judge simulate {service.name}", why, "say --hosts", Exit.USAGE)
    tick_s = await _tick_s(room, service.name)
    traffic: Sample | None = None
    count = 0
    async for page in recorded(room, service.name, means.now() - LOOK_BACK):
        traffic, count = served(traffic, page), count + len(page)
        means.progress.tell(f"history of {service.name}, looks", count)
    means.progress.over()
    return sized(service, tick_s, traffic)


async def _tick_s(room: ControlRoom, service: str) -> float:
    async for view in room.service(service):
        return view.tick_s
    raise ControllerLost("it ended while it was asked")


def _as_typed(args: Namespace, like: Sized) -> Sized:
    """`like` with what the command line says instead."""
    profile = like.profile
    hosts = args.hosts or profile.hosts
    canaries = args.canaries or (
        canary_size(hosts, profile.canaries / profile.hosts) if args.hosts else profile.canaries
    )
    looks = args.looks or profile.looks
    typed = replace(
        profile,
        hosts=hosts,
        canaries=canaries,
        datacenters=args.datacenters or min(profile.datacenters, hosts),
        tick_s=args.tick or profile.tick_s,
        looks=looks,
        rps=args.rps or profile.rps,
        error_ratio=args.errors or profile.error_ratio,
    )
    rules = replace(like.rules, control=Control.BASELINE) if args.baseline else like.rules
    notes = tuple(note for note in like.notes if args.looks is None or f"{MOST_LOOKS} of them" not in note)
    return Sized(with_history(typed), rules, notes)


def _tell(like: Sized, by_fault: Mapping[str, list[Outcome]], seed: int, out: Out, *, blocks: bool) -> None:
    for line in tables.setting(like, seed):
        out.line(line)
    out.line(tables.false_rollbacks(by_fault[NONE.name], like.rules))
    bad = {name: outcomes for name, outcomes in by_fault.items() if name != NONE.name}
    if not bad:
        return
    out.table(tables.detection(bad, like.profile.tick_s))
    for line in tables.over_time(bad, like.profile, blocks=blocks):
        out.line(line)


def _as_dict(like: Sized, by_fault: Mapping[str, list[Outcome]], seed: int) -> dict[str, object]:
    profile = like.profile
    return {
        "seed": seed,
        "profile": {name: getattr(profile, name) for name in tables.SHOWN},
        "control": like.rules.control,
        "configured": like.rules.false_rollback,
        "metrics": [metric.key for metric in like.rules.metrics if metric.judged],
        "notes": like.notes,
        "good": tables.good(by_fault[NONE.name]),
        "faults": [tables.summary(name, outcomes) for name, outcomes in by_fault.items() if name != NONE.name],
    }
