"""One canary of a synthetic service: its trial, its past, and its looks. The same seed gives the same of all three."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from pipeline.judge.columns import Columns, Floats
from pipeline.judge.look import Recorded
from pipeline.judge.trial import Trial
from pipeline.model import JudgeRules
from pipeline.rehearsal.counts import looks
from pipeline.rehearsal.fault import NONE, Fault
from pipeline.rehearsal.plant import Plant, plant
from pipeline.rehearsal.processes import Processes, by_themselves, crashes, deployed, long_running, processes
from pipeline.rehearsal.profile import Profile
from pipeline.rehearsal.rates import Rates, rates, struck
from pipeline.rehearsal.reshape import coarser, look_of
from pipeline.rehearsal.weather import weather

__all__ = ["Fault", "Profile", "Scenario", "scenario"]

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
FINEST_S = 60.0
"""Steps that recorded history is drawn in, and summed up from."""
HOSTS, PAST, PAST_COUNTS, WEATHER, AGES, RESTARTS, CRASHES, COUNTS = range(8)
"""Streams of random numbers, so that one build differs from another by nothing but its fault."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Nothing is drawn before it is asked for; each call draws the same again."""

    profile: Profile
    fault: Fault
    seed: int
    plant: Plant
    trial: Trial

    @property
    def begins_at(self) -> int | None:
        """The number (from 1) of the first look with the fault in it; None of a good build."""
        return None if self.fault.good else self.fault.begins_at(self.profile) + 1

    @property
    def past(self) -> tuple[Recorded, ...]:
        """The hour, or the day, before the release, oldest first."""
        profile = self.profile
        size, steps = len(self.plant.names), int(profile.history_s // FINEST_S)
        if not steps:
            return ()
        rng, seconds = self._stream(PAST), steps * FINEST_S
        factors = weather(profile, self.plant, steps, FINEST_S, -seconds, rng)
        running = processes(long_running(self.plant, rng), by_themselves(profile, size, seconds, rng), steps, FINEST_S)
        well, nothing = replace(profile, sick=False), np.zeros((steps, size), bool)
        expected = rates(well, self.plant, factors, running, FINEST_S, nothing, NONE)
        edges = (profile.edges,) * size
        drawn = looks(profile, self.plant, expected, running, FINEST_S, edges, self._stream(PAST_COUNTS))
        everyone = replace(self.trial, canary=(), baseline=(), production=self.plant.names)
        at, found = BEGIN - timedelta(seconds=seconds), []
        for stretch in coarser(drawn, max(round(profile.history_step_s / FINEST_S), 1)):
            at += timedelta(seconds=stretch.seconds)
            found.append(Recorded(profile.name, at, replace(look_of(stretch, everyone), expected=0)))
        return tuple(found)

    def columns(self) -> Iterator[Columns]:
        """Each look of the canary, in the order of the trial's canary, baseline and production hosts."""
        expected, running = self._expected(self.fault)
        profile, size = self.profile, len(self.plant.names)
        other = size - self.plant.canaries
        edges = (profile.canary_edges,) * self.plant.canaries + (profile.edges,) * other
        return looks(profile, self.plant, expected, running, profile.tick_s, edges, self._stream(COUNTS))

    def toll(self) -> Floats:
        """(looks, 2): requests that the canary serves while its fault acts, and errors that it adds; both expected."""
        bad, _ = self._expected(self.fault)
        good, _ = self._expected(NONE)
        canary = slice(0, self.plant.canaries)
        requests = bad.requests[:, canary]
        added = requests * (bad.error_ratio - good.error_ratio)[:, canary]
        both = np.stack([requests.sum(axis=1), added.sum(axis=1)], axis=1)
        both[: (self.begins_at or len(both) + 1) - 1] = 0.0
        return both

    def _expected(self, fault: Fault) -> tuple[Rates, Processes]:
        profile, steps, tick_s = self.profile, self.profile.looks, self.profile.tick_s
        begins_at, size = fault.begins_at(profile), len(self.plant.names)
        factors = weather(profile, self.plant, steps, tick_s, 0.0, self._stream(WEATHER))
        ages = self._stream(AGES)
        starts = deployed(self.plant, long_running(self.plant, ages), ages)
        anew = by_themselves(profile, size, steps * tick_s, self._stream(RESTARTS))
        if fault.crash_every_s > 0:
            span = (begins_at * tick_s, steps * tick_s)
            anew += crashes(range(self.plant.canaries), fault.crash_every_s, *span, self._stream(CRASHES))
        running = processes(starts, anew, steps, tick_s)
        hit = struck(fault, self.plant, begins_at, steps)
        return rates(profile, self.plant, factors, running, tick_s, hit, fault), running

    def _stream(self, which: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, which])


def scenario(profile: Profile, fault: Fault, seed: int, rules: JudgeRules) -> Scenario:
    """A canary of `profile` with a build that has `fault`.

    Raises:
        ValueError: the profile cannot be (`plant`).
    """
    hosts = plant(profile, rules.control, np.random.default_rng([seed, HOSTS]))
    canary, baseline = hosts.canaries, hosts.canaries + hosts.baselines
    trial = Trial(
        f"{profile.name}-{seed}",
        0,
        rules,
        profile.tick_s,
        profile.looks,
        dict(zip(hosts.names, hosts.places, strict=True)),
        hosts.names[:canary],
        hosts.names[canary:baseline],
        hosts.names[baseline:],
        objective=profile.objective,
    )
    return Scenario(profile, fault, seed, hosts, trial)
