"""What the documents say is there: links, keys of the configuration, verbs and options."""

import argparse
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from inspect import getclosurevars
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from adapters.config.errors import Problems, Spot
from adapters.config.schema import Section
from adapters.config.sections import FILE, ORGANISATION
from pithead.parser import Parser, parser

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for folder in (".", "docs", "adapters")
    for path in (ROOT / folder).glob("*.md" if folder == "." else "**/*.md")
)
REFERENCES = (ROOT / "config.toml", ROOT / "docs" / "fleet.toml")
COMMANDS = ROOT / "docs" / "commands.md"
Place = tuple[str, ...]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


def inner(read: object) -> tuple[Section, bool] | None:
    """The section that a key is read as, and whether it is one of many that have names; None of a plain value."""
    if isinstance(read, Section):
        return read, False
    found = getclosurevars(read).nonlocals.get("section") if isinstance(read, FunctionType) else None
    return (found, True) if isinstance(found, Section) else None


def keys(section: Section, path: Place = ()) -> Iterator[Place]:
    """Every key that the configuration reads; names of one's own are "*", a service's rules are the organisation's."""
    for key, described in section.keys.items():
        if path == ("service", "*") and key in ORGANISATION.keys:
            continue
        below = inner(described.read)
        if below is None:
            yield (*path, key)
        else:
            yield from keys(below[0], (*path, key, *(("*",) if below[1] else ())))


def shown(value: object, section: Section, path: Place = ()) -> Iterator[Place]:
    """The keys that a document has set, named as `keys` names them."""
    for key, each in value.items() if isinstance(value, dict) else ():
        described = section.keys.get(key)
        if described is None:
            continue
        at = ("organisation", key) if path == ("service", "*") and key in ORGANISATION.keys else (*path, key)
        below = inner(described.read)
        if below is None:
            yield at
        elif below[1]:
            for one in each.values() if isinstance(each, dict) else each:
                yield from shown(one, below[0], (*at, "*"))
        else:
            yield from shown(each, below[0], at)


def uncommented(file: Path) -> dict[str, Any]:
    """The document with every key that is left at its default set."""
    lines = file.read_text().split("\n")
    return tomllib.loads(
        "\n".join(line[1:] if line.startswith("#") and line[1:2].strip("# ") else line for line in lines)
    )


def test_every_key_that_is_read_stands_in_a_reference_and_nothing_else_does() -> None:
    documents = [uncommented(file) for file in REFERENCES]
    told = {key for document in documents for key in shown(document, FILE)}
    assert sorted(set(keys(FILE)) - told) == []
    for document in documents:
        assert unknown(document) == []


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "toml")], ids=name)
def test_every_key_of_an_example_exists(page: Path) -> None:
    for block in blocks(page, "toml"):
        assert unknown(tomllib.loads(block)) == []


def unknown(document: Mapping[str, object]) -> list[str]:
    problems = Problems("example.toml")
    FILE(document, Spot(problems))
    return [str(error) for error in problems.errors if "unknown key" in str(error)]


def verbs(above: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Every verb, with its parts: "judge replay"."""
    found: dict[str, argparse.ArgumentParser] = {}
    for action in above._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, below in action.choices.items():
                parts = {f"{word} {part}": its for part, its in verbs(below).items()}
                found |= parts or {word: below}
    return found


def options(its: argparse.ArgumentParser) -> set[str]:
    return {
        option
        for action in its._actions
        if action.help != argparse.SUPPRESS
        for option in action.option_strings
        if option.startswith("--") and option != "--help"
    }


def rows(verb: str) -> str:
    """What the page of commands says in the rows of a verb, and in the prose and rows about all."""
    lines = COMMANDS.read_text().split("\n")
    own = [line for line in lines if f"`pithead {verb}" in line]
    return "\n".join([*own, *(line for line in lines if not line.startswith("| `pithead"))])


def test_every_verb_and_option_is_told() -> None:
    top = parser()
    text = COMMANDS.read_text()
    assert {verb for verb in verbs(top) if f"`pithead {verb}" not in text} == set()
    told = {verb: rows(verb) for verb in verbs(top)}
    missing = {
        (verb, option) for verb, its in verbs(top).items() for option in options(its) if option not in told[verb]
    }
    assert missing == set()
    assert {option for option in options(top) if option not in text} == set()


def test_every_option_that_is_told_exists() -> None:
    top = parser()
    known = options(top).union(*map(options, verbs(top).values()))
    assert set(re.findall(r"`(--[a-z-]+)", COMMANDS.read_text())) <= known


@pytest.mark.parametrize("page", [page for page in PAGES if "$ pithead" in page.read_text()], ids=name)
def test_every_command_of_an_example_is_one(page: Path) -> None:
    top: Parser = parser()
    for line in re.findall(r"^\$ pithead (.+)$", page.read_text(), re.MULTILINE):
        top.parse_args(shlex.split(line.split(" | ")[0], comments=True))
