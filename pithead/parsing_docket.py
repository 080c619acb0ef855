"""The command line of the rules: what holds a release, and the papers that people lay down about it."""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.text import plain

Verb = Callable[..., argparse.ArgumentParser]
"""`verb(name, said, *parents)`: the parser of a new verb."""

LONGEST_DAYS = 3_660


@dataclass(frozen=True, slots=True)
class PaperWords:
    """What a verb of papers takes on the command line, beside the service."""

    said: str
    subject: str = ""
    """How its word is called; "" takes none."""
    must_name: bool = False
    """Whether the word must be there: else the only one there is meant."""
    must_say: bool = False
    """Whether a reason must be given."""
    ends: bool | None = None
    """Whether an end must be given; None takes none."""
    starts: bool | None = None
    evidence: bool | None = None


PAPERS: Mapping[str, PaperWords] = {
    "lock": PaperWords("let nothing move forward", must_say=True, ends=False),
    "unlock": PaperWords("lift a lock, also one after a rollback or a failed load test", "LOCK"),
    "reserve": PaperWords("keep staging for yourself for a while", must_say=True, ends=True, starts=False),
    "release": PaperWords("give a reservation of staging back before its end", "RESERVATION"),
    "attest": PaperWords(
        "vouch for a readiness row, a manual check, or coverage", "ROW|CHECK|coverage", must_name=True, must_say=True,
        ends=False, evidence=False,
    ),
    "waive": PaperWords(
        "let a readiness row off until a day", "ROW", must_name=True, must_say=True, ends=True, evidence=False
    ),
    "incident": PaperWords("declare an incident, as sev1", "SEVERITY", must_name=True, must_say=True),
    "close": PaperWords("say that an incident is over; its break-glass ends with it", "INCIDENT"),
    "breakglass": PaperWords("ask to skip waiting in a severe incident; a second person approves", "INCIDENT",
                             must_say=True),
    "securityfix": PaperWords("ask to let one build past a spent budget or a payback; an approver agrees",
                              must_say=True, ends=False),
    "approve": PaperWords("agree, as the second person, to break-glass, a security fix or a correction",
                          "PASS|FIX|CORRECTION"),
    "correct": PaperWords(
        "say what was measured wrongly; a second person approves", "exclude|bad|good", must_name=True, must_say=True,
        ends=True, starts=True, evidence=True,
    ),
    "revoke": PaperWords("end an attestation, a correction, a security fix or break-glass", "ID"),
    "review": PaperWords("write down what break-glass or a security fix taught; --reason says it", "PASS|FIX",
                         must_say=True),
}  # fmt: skip
CONFIRMED_PAPERS = frozenset({"breakglass", "securityfix", "approve", "correct"})

GATE_EPILOG = """exit codes: 0 it may deploy; 1 it may, and a gate will close soon; 2 blocked or held, as while a
check runs, or a wrong command line or configuration; 3 unknown: no controller, no data, no such service. In CI, where
a warning stops too: pithead gate SERVICE || exit 1; where it does not: pithead gate SERVICE; test $? -le 1"""


def add(verb: Verb, printing: argparse.ArgumentParser) -> None:
    gate = verb("gate", "may this service deploy? one line, and an exit code for CI", printing)
    gate.epilog = GATE_EPILOG
    gate.add_argument("service", metavar="SERVICE")
    gate.add_argument("--all", action="store_true", help="every gate, open ones too")

    readiness = verb("readiness", "a service's readiness list: 0 all rows pass, 1 some are missing", printing)
    readiness.add_argument("service", metavar="SERVICE")

    budget = verb("budget", "what is left of the error budgets, worst first, or one service's whole", printing)
    budget.add_argument("service", nargs="?", metavar="SERVICE")

    laid_down = "what people have laid down: locks, reservations, incidents, break-glass, security fixes"
    docket = verb("docket", laid_down, printing)
    docket.add_argument("service", nargs="?", default="", metavar="SERVICE")

    for name, words in PAPERS.items():
        _paper(verb(name, words.said, printing), name, words)


def _paper(paper: argparse.ArgumentParser, name: str, words: PaperWords) -> None:
    paper.set_defaults(
        subject="",
        reason="",
        start=None,
        until=None,
        lasts_s=None,
        evidence="",
        also=[],
        queue=False,
        revision="",
        digest="",
    )
    paper.add_argument("service", metavar="SERVICE")
    if words.subject:
        only = "" if words.must_name else "; left out, the only one there is"
        count = {} if words.must_name else {"nargs": "?", "default": ""}
        paper.add_argument("subject", metavar=words.subject, help=f"which{only}", **count)  # type: ignore[arg-type]
    paper.add_argument("--reason", required=words.must_say, metavar="WHY", help="kept in the history")
    if words.starts is not None:
        paper.add_argument(
            "--from", dest="start", type=instant, required=words.starts, metavar="TIME", help="as 2026-03-01T12:00Z"
        )
    if words.ends is not None:
        end = paper.add_mutually_exclusive_group(required=words.ends)
        end.add_argument("--for", dest="lasts_s", type=span, metavar="SPAN", help="how long, as 90s, 4m, 2h30m or 30d")
        end.add_argument("--until", type=instant, metavar="TIME", help="when it ends, as 2026-03-01T12:00+01:00")
    if words.evidence is not None:
        paper.add_argument("--evidence", required=words.evidence, metavar="LINK", help="where to read it")
    if name == "securityfix":
        paper.add_argument("revision", metavar="REVISION", help="the build that mends it")
        paper.add_argument(
            "--advisory", dest="evidence", required=True, metavar="ADVISORY", help="what it mends, as CVE-2026-1234"
        )
    if name == "attest":
        paper.add_argument("--revision", default="", metavar="REV", help="of a check or STB-2: the build")
        paper.add_argument("--digest", default="", metavar="SHA256", help="of STB-2: the build's, where it has one")
    if name == "reserve":
        paper.add_argument("--also", action="append", metavar="SERVICE", help="a further service; may be said again")
        paper.add_argument("--queue", action="store_true", help="wait behind those who have it")
    if name in CONFIRMED_PAPERS:
        paper.add_argument("--yes", action="store_true", help="do not ask")


def instant(text: str) -> datetime:
    """A time that says its zone, in UTC: whose clock the local one is, nobody knows on a bastion."""
    try:
        found = datetime.fromisoformat(text) if text.isascii() else None
        at = found.astimezone(UTC) if found is not None and found.tzinfo is not None else None
    except (ValueError, OverflowError):
        at = found = None
    if at is None:
        missing = "with its zone, " if found is not None else ""
        wanted = f"expected a time {missing}as 2026-03-01T12:00Z or 2026-03-01T12:00+01:00"
        raise argparse.ArgumentTypeError(f"{wanted}, got {plain(text, 40)}")
    return at


def span(text: str) -> float:
    """90s, 4m, 2h30m or 30d, as the configuration writes it, in seconds; at most ten years."""
    from adapters.config.durations import seconds

    try:
        lasts_s = seconds(text) if text.isascii() else 0.0
    except ValueError:
        lasts_s = 0.0
    if not 1 <= lasts_s <= LONGEST_DAYS * 86_400:
        wanted = f"expected a span as 90s, 4m, 2h30m or 30d, at most {LONGEST_DAYS}d"
        raise argparse.ArgumentTypeError(f"{wanted}, got {plain(text, 40)}")
    return lasts_s
