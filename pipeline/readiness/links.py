"""What can be read of a service, MON-2 and DOC-1: the links are stated, and were opened."""

from collections.abc import Mapping
from datetime import datetime

from pipeline.readiness.facts import Found, Subject, fails, passes, unknown
from pipeline.readiness.rules import SECTIONS, ReadinessRules
from pipeline.readiness.seen import OLD, Answer, Opened
from pipeline.words import duration, some


def stated(rules: ReadinessRules) -> tuple[str, ...]:
    """Every link that a service states, once."""
    return tuple(dict.fromkeys((*_watched(rules).values(), *filter(None, rules.docs.values()))))


def documents(of: Subject) -> Found:
    """DOC-1."""
    known = of.service.rules.readiness.docs
    missing = [section for section in SECTIONS if not known.get(section)]
    if missing:
        return fails(f"readiness.docs lacks {', '.join(missing)}")
    return _opened(of, {section: known[section] for section in SECTIONS}, f"{len(SECTIONS)} sections stated")


def runbook(of: Subject) -> Found:
    """MON-2: what one reads when an alert has come; who owns each alert, and how grave it is, is vouched for."""
    links = _watched(of.service.rules.readiness)
    if "runbook" not in links:
        return fails("no runbook is stated: readiness.runbook")
    return _opened(of, links, some(list(links)))


def _watched(rules: ReadinessRules) -> Mapping[str, str]:
    runbook = rules.runbook or rules.docs.get("runbook", "")
    boards = {f"dashboard {number}": link for number, link in enumerate(rules.dashboards, 1)}
    return {**({"runbook": runbook} if runbook else {}), **boards}


def _opened(of: Subject, links: Mapping[str, str], said: str) -> Found:
    """`links` by what they are: one that is gone fails them all, one that nobody could open leaves it unknown."""
    known = of.facts.seen.links
    gone = [name for name, link in links.items() if link in known and known[link].answer is Answer.GONE]
    if gone:
        return fails(f"{some(gone)}: {links[gone[0]]}: {known[links[gone[0]]].why}")
    waits = [name for name, link in links.items() if link not in known or of.now - known[link].at > OLD]
    silent = [name for name, link in links.items() if link in known and known[link].answer is Answer.UNKNOWN]
    if silent:
        return unknown(f"{some(silent)}: {links[silent[0]]}: {_age(known[links[silent[0]]], of.now)}")
    if waits:
        return unknown(f"not opened lately: {some(waits)}")
    oldest = min(known[link].at for link in links.values())
    return passes(f"{said}, each opened {duration(max((of.now - oldest).total_seconds(), 0.0))} ago or later")


def _age(one: Opened, now: datetime) -> str:
    """Why it is unknown, and how old that is."""

    def ago(at: datetime) -> str:
        return f"{duration(max((now - at).total_seconds(), 0.0))} ago"

    before = f"last open {ago(one.opened)}" if one.opened is not None else "never open yet"
    return f"{one.why} ({ago(one.at)}; {before})"
