"""What people type as a service, a revision or a host, checked before it goes anywhere."""

from pipeline.text import is_identifier, plain
from pithead.exits import Exit, Failure


def service_name(typed: str) -> str:
    return _checked(typed, "service", "pithead status lists the services")


def revision_name(typed: str) -> str:
    return _checked(typed, "revision", "name a build as your registry does")


def host_name(typed: str) -> str:
    return _checked(typed, "host", "pithead status SERVICE --json names its hosts")


def paper_name(typed: str) -> str:
    return _checked(typed, "paper", "pithead docket names those there are; a readiness row is as CAT-2")


def _checked(typed: str, kind: str, mend: str) -> str:
    if not is_identifier(typed):
        why = f"not a {kind}'s name: expected 1 to 100 of A-Z a-z 0-9 . _ - without a leading dash"
        raise Failure(plain(typed, 60) or f"empty {kind}", why, mend, Exit.USAGE)
    return typed
