"""Evidence as bytes, so that a controller that was stopped goes on with the same, to the last bit."""

import json
import math
from dataclasses import astuple, replace

import numpy as np

from pipeline.judge.evidence import Evidence
from pipeline.judge.guards import Streaks
from pipeline.judge.quantities import Pooled, Tail
from pipeline.judge.trial import Kept, fingerprint
from pipeline.judge.windows import Mark

FORMAT = 1


def pack(evidence: Evidence) -> Kept:
    """A JSON line that says what follows, then the arrays: when hosts were first seen, and the sums of each mark."""
    trial, marks = evidence.plan.trial, (*evidence.marks, evidence.now)
    head = {
        "format": FORMAT,
        "hosts": evidence.plan.hosts,
        "size": evidence.layout.size,
        "marks": [(mark.looks, mark.elapsed_s) for mark in marks],
        "tails": [None if tail is None else (tail.edge, tail.allowance) for tail in evidence.tails],
        "pooled": [None if one is None else (_spelt(one.edges), one.canary, one.control) for one in evidence.pooled],
        "streaks": astuple(evidence.streaks),
    }
    body = (
        json.dumps(head).encode()
        + b"\n"
        + b"".join(part.astype("<f8").tobytes() for part in (evidence.first_s, *(mark.sums for mark in marks)))
    )
    return Kept(trial.release, trial.wave, evidence.now.looks, fingerprint(trial), body)


def unpack(fresh: Evidence, kept: Kept) -> Evidence | None:
    """`fresh`, which is empty, with what was kept in it; None if that belongs to something else or is damaged."""
    plan, lay = fresh.plan, fresh.layout
    trial = plan.trial
    if (kept.release, kept.wave, kept.settings) != (trial.release, trial.wave, fingerprint(trial)):
        return None
    line, _, rest = kept.body.partition(b"\n")
    try:
        head = json.loads(line)
        if head["format"] != FORMAT or tuple(head["hosts"]) != plan.hosts or head["size"] != lay.size:
            return None
        arrays = np.frombuffer(rest, dtype="<f8").astype(np.float64)
        hosts, marks = len(plan.hosts), head["marks"]
        sums = arrays[hosts:].reshape(len(marks), lay.size)
        found = [Mark(int(looks), float(s), sums[at]) for at, (looks, s) in enumerate(marks)]
        return replace(
            fresh,
            first_s=arrays[:hosts],
            now=found[-1],
            marks=tuple(found[:-1]),
            tails=tuple(None if tail is None else Tail(*tail) for tail in head["tails"]),
            pooled=tuple(
                None if one is None else Pooled(_read(one[0]), tuple(one[1]), tuple(one[2])) for one in head["pooled"]
            ),
            streaks=Streaks(*head["streaks"]),
        )
    except (ValueError, KeyError, TypeError, IndexError):
        return None


def _spelt(edges: tuple[float, ...]) -> list[float | None]:
    """JSON has no infinity."""
    return [None if edge == math.inf else edge for edge in edges]


def _read(edges: list[float | None]) -> tuple[float, ...]:
    return tuple(math.inf if edge is None else edge for edge in edges)
