"""A balancer that does not answer: nobody is taken out of the traffic, so nobody is deployed to; no build fails."""

from pipeline.gates import Answer, Gate
from pipeline.lifecycle import DEPLOYING
from pipeline.observed import HostState
from pipeline.release.facts import Facts
from pipeline.release.hostwork import Standing, Work

NAME = "balancer"


def balancer(facts: Facts, work: Work) -> tuple[Gate, ...]:
    """Held while hosts are still to be told, and their balancer does not answer."""
    if facts.rollout.phase not in DEPLOYING:
        return ()
    standings = {**work.baseline, **work.standings}
    wanted = (*facts.targets.step, *sorted(facts.targets.beside.difference(facts.targets.step)))
    to_come = [name for name in wanted if standings.get(name) is not Standing.THERE]
    states = (facts.telemetry.seen.get(name) for name in to_come)
    held = [state.held for state in states if isinstance(state, HostState) and state.held]
    if not held:
        return ()
    why = f"{held[0]}; {len(held)} of {len(wanted)} hosts wait for it"
    return (Gate(NAME, Answer.UNKNOWN, why, lifts="by itself, when it answers; or roll back"),)
