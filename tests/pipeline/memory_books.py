"""The part of a `History` in memory that keeps what budgets are made of."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipeline.ports import Changes
from pipeline.readiness.callers import Caller
from pipeline.readiness.use import Use
from pipeline.slo.slices import Balance, Hour, Slice, SliceState, Target, Zone


class MemoryBooks:
    def __init__(self) -> None:
        self.kept_slices: dict[tuple[str, str, datetime], Slice] = {}
        self.kept_targets: list[Target] = []
        self.kept_balances: dict[str, Balance] = {}
        self.kept_zones: list[Zone] = []
        self.kept_uses: list[Use] = []
        self.kept_callers: list[Caller] = []

    def keep_books(self, changes: Changes) -> None:
        self.kept_balances.update({one.service: one for one in changes.balances})
        for piece in changes.slices:
            # What was counted in its time is not doubled by what is read afterwards.
            key = (piece.service, piece.slo, piece.start)
            old = self.kept_slices.get(key)
            if old is None or old.backfill > piece.backfill:
                self.kept_slices[key] = piece
            elif not piece.backfill:
                total, bad = old.total + piece.total, old.bad + piece.bad
                self.kept_slices[key] = replace(piece, total=total, bad=bad, down=old.down or piece.down)
            balance = self.kept_balances.get(piece.service)
            if balance is not None and piece.start < balance.until:
                del self.kept_balances[piece.service]
        self.kept_targets += changes.targets
        self.kept_zones += changes.zones
        self.kept_uses += changes.uses
        self.kept_callers += changes.callers

    def slices(self, service: str, since: datetime, until: datetime) -> tuple[Slice, ...]:
        found = [one for one in self.kept_slices.values() if one.service == service and since <= one.start < until]
        return tuple(sorted(found, key=lambda one: one.start))

    def downtime(self, service: str, since: datetime) -> tuple[Slice, ...]:
        kept = self.slices(service, since, datetime.max.replace(tzinfo=UTC))
        return tuple(one for one in kept if one.down and one.slo == "availability")

    def measured(self, service: str, slo: str) -> tuple[datetime, datetime] | None:
        mine = [one for one in self.kept_slices.values() if (one.service, one.slo) == (service, slo)]
        if not mine:
            return None
        newest = max(mine, key=lambda one: one.start)
        return min(one.start for one in mine), newest.start + timedelta(seconds=newest.length_s)

    def since(self, service: str, slo: str, since: datetime, limit: int) -> tuple[Slice, ...]:
        kept = self.slices(service, since, datetime.max.replace(tzinfo=UTC))
        return tuple(one for one in kept if one.slo == slo)[:limit]

    def balance(self, service: str) -> Balance | None:
        return self.kept_balances.get(service)

    def targets(self) -> tuple[Target, ...]:
        return tuple(self.kept_targets)

    def zones(self) -> tuple[Zone, ...]:
        return tuple(self.kept_zones)

    def uses(self, service: str, since: datetime) -> tuple[Use, ...]:
        return tuple(one for one in self.kept_uses if one.service == service and one.day >= since)

    def callers(self, service: str, since: datetime) -> tuple[Caller, ...]:
        return tuple(one for one in self.kept_callers if one.service == service and one.at >= since)

    def hours(self, since: datetime, service: str = "") -> tuple[Hour, ...]:
        sums: dict[tuple[datetime, str, str], list[Slice]] = defaultdict(list)
        for one in self.kept_slices.values():
            hour = one.start.replace(minute=0, second=0, microsecond=0)
            if hour >= since and service in {"", one.service}:
                sums[hour, one.service, one.slo].append(one)
        return tuple(_hour(hour, name, slo, sums[hour, name, slo]) for hour, name, slo in sorted(sums))


def _hour(start: datetime, service: str, slo: str, slices: list[Slice]) -> Hour:
    seconds = {state: sum(one.length_s for one in slices if one.state is state) for state in SliceState}
    return Hour(
        service,
        slo,
        start,
        sum(one.total for one in slices),
        sum(one.bad for one in slices),
        seconds[SliceState.GOOD],
        seconds[SliceState.IDLE],
        seconds[SliceState.BAD],
    )
