"""What readiness lists need of the world, beside what the controller knows."""

from datetime import datetime
from typing import Protocol

from pipeline.model import Service
from pipeline.readiness.callers import Caller
from pipeline.readiness.seen import Seen
from pipeline.readiness.use import Use


class Scout(Protocol):
    """What is looked at for the lists, at a slow pace, beside the controller."""

    def seen(self, service: Service, revision: str) -> Seen:
        """What is known of it so far, at once; `revision` is the build that its list is about.

        The service, with the hosts that it has now, is looked at from here on.
        """
        ...


class KeptUsage(Protocol):
    """The history's part; raises `HistoryError`."""

    def uses(self, service: str, since: datetime) -> tuple[Use, ...]:
        """What its hosts used on the days that start at or after `since`, oldest first."""
        ...

    def callers(self, service: str, since: datetime) -> tuple[Caller, ...]:
        """Who was seen to call it at or after `since`."""
        ...
