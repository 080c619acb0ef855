"""What CI says of a build, as it comes with its submission: bound to this revision, its commit and its digest."""

import re
from datetime import datetime

from pipeline.commands import CiSaid, Command, Refused
from pipeline.docket import CiResult, Docket
from pipeline.papers.common import next_id
from pipeline.text import is_identifier, plain
from pipeline.words import some

MOST_SUITES = 50
_COMMIT = re.compile(r"[0-9a-f]{7,64}\Z")
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_MEND = 'give what CI wrote of this very build: {"revision": ..., "commit": ..., "suites": {"unit": true}}'


def result(what: str, command: Command, docket: Docket, by: str, now: datetime) -> tuple[CiResult, ...]:
    """The paper of `command`'s word of CI, if it has one. Raises `Refused`."""
    said = command.ci
    if said is None:
        return ()
    if said.revision != command.revision:
        raise Refused(what, f"the result of CI is of {plain(said.revision, 60) or 'no revision'}", _MEND)
    failed = [name for name, passed in _suites(what, said) if not passed]
    if failed:
        raise Refused(what, f"CI says that it failed {some(failed)}", "mend it, and submit the build that passes")
    commit = said.commit.lower()
    if not _COMMIT.match(commit):
        raise Refused(what, f"{plain(said.commit, 60) or 'nothing'} is no commit of 7 to 64 hex digits", _MEND)
    number = next_id("ci", docket.ci)
    return (
        CiResult(
            number,
            command.service,
            said.revision,
            now,
            by,
            commit,
            said.suites,
            digest(what, said.digest),
            plain(said.url),
        ),
    )


def digest(what: str, written: str) -> str:
    """SHA-256 in hex, of "sha256:HEX" too; "" of nothing. Raises `Refused`."""
    found = written.strip().lower().removeprefix("sha256:")
    if found and not _DIGEST.match(found):
        raise Refused(what, f"{plain(written, 80)} is no SHA-256", "give its 64 hex digits, as sha256sum prints them")
    return found


def _suites(what: str, said: CiSaid) -> tuple[tuple[str, bool], ...]:
    names = [name for name, _ in said.suites]
    if not names or len(names) > MOST_SUITES or len(set(names)) < len(names):
        raise Refused(what, f"the result of CI has {len(names)} suites, or one of them twice", _MEND)
    odd = [plain(name, 40) for name in names if not is_identifier(name)]
    if odd:
        raise Refused(what, f"{odd[0] or 'nothing'} is no suite's name", _MEND)
    return said.suites
