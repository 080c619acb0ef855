"""The newest word on alerts, by service, and how long there has been none: looked at once a tick."""

from pipeline.alerts import NOT_ASKED, Alert, AlertsFault, Firing
from pipeline.ports import Alerts, Clock
from pipeline.text import plain


class Alerting:
    def __init__(self, alerts: Alerts | None, clock: Clock) -> None:
        self._alerts, self._clock = alerts, clock
        self._said: tuple[Alert, ...] | None = None
        self._by_service: dict[str, tuple[Alert, ...]] = {}
        self._asked = self._heard = False
        self._since_s: float | None = None
        """When the newest answer was seen; before there is one, when it was first looked for."""
        self._silent_s = 0.0
        self._fault = ""

    def look(self) -> None:
        """Take what is newest."""
        now_s = self._clock.monotonic()
        if self._since_s is None:
            self._since_s = now_s
        said = self._newest(now_s)
        self._asked = said is not None
        if isinstance(said, tuple):
            self._heard, self._since_s, self._fault = True, now_s, ""
            if said is not self._said:
                self._said, self._by_service = said, _grouped(said)
        elif said is not None:
            self._fault = said.why
        self._silent_s = now_s - self._since_s

    def _newest(self, now_s: float) -> tuple[Alert, ...] | AlertsFault | None:
        try:
            return self._alerts.newest() if self._alerts is not None else None
        except Exception as broken:  # noqa: BLE001 - an adapter that breaks gives no answer, which is no all-clear
            return AlertsFault(now_s, plain(f"pithead itself failed: {type(broken).__name__}: {broken}"))

    def of(self, service: str) -> Firing:
        if not self._asked:
            return NOT_ASKED
        return Firing(True, self._by_service.get(service, ()), self._heard, self._silent_s, self._fault)


def _grouped(alerts: tuple[Alert, ...]) -> dict[str, tuple[Alert, ...]]:
    found: dict[str, list[Alert]] = {}
    for alert in alerts:
        found.setdefault(alert.service, []).append(alert)
    return {service: tuple(its) for service, its in found.items()}
