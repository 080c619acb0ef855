"""Since when a gate is closed, where its rule cannot tell: the first time that the controller saw it so.

A restart begins anew: such a gate is closed since then at least.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from pipeline.gates import Answer, Gate


def since_seen(
    gates: Sequence[Gate], seen: Mapping[str, datetime], now: datetime
) -> tuple[tuple[Gate, ...], dict[str, datetime]]:
    """The gates with since when each closed one is closed, and that by name for the next time.

    `seen` is what it was the last time. A gate that has passed in between, or was not asked, begins anew.
    """
    closed = {
        gate.name: seen.get(gate.name, now) for gate in gates if gate.answer is not Answer.PASS and gate.since is None
    }
    told = (replace(gate, since=closed[gate.name]) if gate.name in closed else gate for gate in gates)
    return tuple(told), closed
