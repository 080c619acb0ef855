from datetime import UTC, datetime

import pytest

from pipeline.lifecycle import ENDED, FORWARD, MOVES, IllegalMove, Pause, Phase, Rollout, Signal, step

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def rollout(phase: Phase) -> Rollout:
    return Rollout("s-1", "s", "r2", "r1", phase, NOW, 4, "mira", NOW, seed=1, pause=Pause("ana", NOW), bad_looks=2)


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("signal", Signal)
def test_every_move_is_in_the_table_or_refused(phase: Phase, signal: Signal) -> None:
    before = rollout(phase)
    if (phase, signal) in MOVES:
        after = step(before, signal, NOW, "why")
        assert after.phase is MOVES[phase, signal]
        assert after.version == before.version + 1
        assert after.bad_looks == 0
    else:
        with pytest.raises(IllegalMove, match=f"{signal} while {phase}"):
            step(before, signal, NOW)
    assert before == rollout(phase)


def test_every_phase_can_be_reached_and_every_one_on_its_way_can_be_rolled_back() -> None:
    reached = {Phase.QUEUED}
    while more := {after for (before, _), after in MOVES.items() if before in reached} - reached:
        reached |= more
    assert reached == set(Phase)
    for phase in FORWARD:
        assert MOVES[phase, Signal.ROLL_BACK] is MOVES[phase, Signal.FAILED] is Phase.ROLLING_BACK


def test_what_has_ended_stays_ended_but_a_settled_release_can_be_undone() -> None:
    assert {before for before, _ in MOVES} & ENDED == {Phase.SETTLED}
    assert MOVES[Phase.SETTLED, Signal.ROLL_BACK] is Phase.ROLLING_BACK


def test_nothing_reaches_production_but_through_a_baked_canary() -> None:
    into = {before for (before, _), after in MOVES.items() if after is Phase.WAVE_DEPLOY}
    assert into == {Phase.CANARY_BAKE, Phase.WAVE_SOAK}


def test_a_pause_ends_with_the_way_forward() -> None:
    assert step(rollout(Phase.CANARY_BAKE), Signal.FAILED, NOW).pause is None
    assert step(rollout(Phase.CANARY_BAKE), Signal.PROMOTED, NOW).pause is not None


def test_waves_are_counted_and_only_deploys_into_a_wave_count() -> None:
    first = step(rollout(Phase.CANARY_BAKE), Signal.PROMOTED, NOW)
    soaked = step(first, Signal.DEPLOYED, NOW)
    second = step(soaked, Signal.PROMOTED, NOW)
    assert (first.wave, soaked.wave, second.wave) == (1, 1, 2)
