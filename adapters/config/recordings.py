"""Recordings that replays would refuse, with their lines. It reads the files: for `pithead check`, not at start."""

from collections.abc import Iterator

from adapters.checks.replay import lint
from adapters.config.errors import ConfigError, Problems, Spot, dotted
from adapters.config.settings import Settings
from adapters.config.source import document_of
from pipeline.text import plain


def faults(settings: Settings) -> tuple[ConfigError, ...]:
    """Each once; of a check that the organisation sets for all services too. Raises `ConfigErrors`."""
    _, problems = document_of(settings.path)
    return tuple(dict.fromkeys(_faults(settings, problems)))


def _faults(settings: Settings, problems: Problems) -> Iterator[ConfigError]:
    others = {
        name: frozenset(host.address for host in service.hosts) for name, service in settings.fleet.services.items()
    }
    for service in settings.fleet.services.values():
        for check in service.rules.checks:
            if check.replay is None:
                continue
            at = _where(problems, service.name, check.name)
            for why in lint(check.replay, service, others):
                yield ConfigError(problems.file, at.line, dotted(at.path), plain(why))


def _where(problems: Problems, service: str, check: str) -> Spot:
    for owner in (("service", service), ("organisation",)):
        at = Spot(problems, (*owner, "checks", check, "replay"))
        if at.path in problems.lines:
            return at
    return Spot(problems, ("service", service))
