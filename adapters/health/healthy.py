"""`HostFleet` around another one: a host is healthy only after it has passed a check for long enough."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from adapters.health.checks import Finding, HealthRule, InnerCheck, examined
from adapters.health.streak import Look, Run, Streak, after
from adapters.wire import Wire
from pipeline.events import Intent, Outcome
from pipeline.model import Host
from pipeline.observed import HostFault, HostState, Observation
from pipeline.ports import Clock, HostFleet
from pipeline.text import PlainText, plain


class HealthyHosts:
    """`HostFleet`. A host without a rule is as healthy as the inner fleet says. The wire is the caller's to close."""

    def __init__(self, inner: HostFleet, rules: Callable[[Host], HealthRule | None], clock: Clock, wire: Wire) -> None:
        self._inner, self._rules, self._clock, self._wire = inner, rules, clock, wire
        self._streaks: dict[str, Streak] = {}
        self._told: set[str] = set()
        """Hosts that were told something before they were first looked at."""

    async def states(self, hosts: Sequence[Host], timeout_s: float) -> Mapping[str, Observation]:
        ruled = [(host, rule) for host in hosts if (rule := self._rules(host)) is not None]
        inner, found = await asyncio.gather(
            self._inner.states(hosts, timeout_s),
            asyncio.gather(*(self._checked(rule, host, timeout_s) for host, rule in ruled)),
        )
        seen = dict(inner)
        for (host, rule), (finding, at_s) in zip(ruled, found, strict=True):
            if (observation := seen.get(host.name)) is not None:
                seen[host.name] = self._judged(host.name, rule, observation, finding, at_s)
        return seen

    async def deploy(self, host: Host, intent: Intent, token: int, deadline_s: float) -> Outcome:
        self._told.add(host.name)
        return await self._inner.deploy(host, intent, token, deadline_s)

    async def _checked(self, rule: HealthRule, host: Host, timeout_s: float) -> tuple[Finding, float]:
        """What its check came to, and when."""
        finding = await examined(rule.check, host, self._wire, timeout_s)
        return finding, self._clock.monotonic()

    def _judged(self, name: str, rule: HealthRule, seen: Observation, finding: Finding, at_s: float) -> Observation:
        was, told = self._streaks.get(name), name in self._told
        if isinstance(rule.check, InnerCheck) or isinstance(seen, HostFault):
            at_s = seen.at_s
        passed = None if not finding.answered else not finding.wrong
        if isinstance(seen, HostFault):
            self._streaks[name] = after(was, Look(at_s, passed, told=told))
            return seen
        run = Run(seen.revision, seen.operation, ended=not seen.operation or seen.result is not None)
        # Its own word counts before any check's: one that calls itself sick has answered.
        look = Look(at_s, passed if seen.healthy else False, run, told=told)
        streak = self._streaks[name] = after(was, look)
        if streak.healthy(rule.healthy_for_s):
            return seen
        return replace(
            seen,
            healthy=False,
            settling=streak.settling,
            answered=look.passed is not None,
            detail=_detail(seen, rule, streak, finding.wrong),
        )


def _detail(seen: HostState, rule: HealthRule, streak: Streak, wrong: str) -> PlainText:
    """Why it is not healthy (yet), and what the host itself says."""
    if streak.settling:
        # Whole seconds, cut: "10 s of 10 s" would be healthy.
        wrong = f"healthy for {int(streak.passed_s)} s of {rule.healthy_for_s:g} s"
    return plain("; ".join(filter(None, (wrong, seen.detail))))
