"""Staging checks as the file sets them: `[X.checks.NAME]`, whose first key says what kind it is."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from adapters.checks.command import FILLED, unknown_placeholders
from adapters.checks.replay.headers import header_fault
from adapters.config.durations import written
from adapters.config.errors import Spot
from adapters.config.schema import Key, Section, Values, as_table
from adapters.config.values import (
    argument,
    boolean,
    number,
    one_of,
    page,
    ratio,
    seconds,
    sequence,
    text,
    unique,
    whole,
)
from pipeline.checks import Against, CheckKind, CheckRule, LoadRule, ReplayRule

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")


def header_name(value: object, spot: Spot) -> str:
    if not isinstance(value, str) or _TOKEN.fullmatch(value) is None:
        spot.expected("a header's name, such as X-Environment", value)
    return value


def marker(value: object, spot: Spot) -> str:
    """The name of a header that a replay may set."""
    name = header_name(value, spot)
    if fault := header_fault(name):
        spot.refuse(f'"{name}" {fault}')
    return name


def headers(value: object, spot: Spot) -> dict[str, str]:
    """By lower-case name."""
    found: dict[str, str] = {}
    for key, each in as_table(value, spot).items():
        lower = header_name(key, spot / key).lower()
        if lower in found:
            (spot / key).refuse(f'"{lower}" stands here twice')
        found[lower] = text(1_000)(each, spot / key)
    return found


def beside(value: object, spot: Spot) -> str:
    """The path of a file; one that does not begin with "/" or "~/" is seen from the configuration's folder."""
    found = text(1_000)(value, spot)
    try:
        return str(Path(spot.problems.file).absolute().parent / Path(found).expanduser())
    except RuntimeError:
        spot.expected("a file whose owner has a home", value)


def json_path(value: object, spot: Spot) -> str:
    found = text(200)(value, spot)
    if not found.startswith("$"):
        spot.expected('a path in JSON, such as "$.now" or "$.items[*].etag"', value)
    return found


def true(value: object, spot: Spot) -> bool:
    if not boolean(value, spot):
        spot.expected("true (or leave it out)", value)
    return True


COMMAND = sequence(argument, least=1, most=100)
CHECK = Section(
    {
        "path": Key(page),
        "status": Key(whole(100, 599)),
        "contains": Key(text(300)),
        "headers": Key(headers),
        "within": Key(seconds("1ms", "1d"), "within_s"),
        "command": Key(COMMAND),
        "replay": Key(beside, "recording"),
        "against": Key(one_of(Against)),
        "rps": Key(number(0.01, 10_000)),
        "most": Key(whole(1, 1_000_000)),
        "ignore": Key(unique(sequence(json_path, most=200))),
        "differing": Key(ratio()),
        "slower": Key(ratio(0.0, 100.0)),
        "load": Key(COMMAND, "loaded_by"),
        "least_rps": Key(number(0, 10**9)),
        "most_p99": Key(seconds("1ms", "1h"), "most_p99_s"),
        "most_errors": Key(ratio()),
        "manual": Key(true),
        "deadline": Key(seconds("100ms", "1d"), "deadline_s"),
    }
)
OF_KIND: Mapping[CheckKind, tuple[str, ...]] = {
    CheckKind.PROBE: ("path", "status", "contains", "headers", "within"),
    CheckKind.COMMAND: ("command",),
    CheckKind.REPLAY: ("replay", "against", "rps", "most", "ignore", "differing", "slower"),
    CheckKind.LOAD: ("load", "least_rps", "most_p99", "most_errors"),
    CheckKind.MANUAL: ("manual",),
}
"""Keys that belong to one kind alone; the first one makes a check of that kind."""
WANTED = '"path" (a probe), "command", "replay", "load" or "manual"'


def layered(base: tuple[CheckRule, ...], said: Mapping[str, Values], spot: Spot) -> tuple[CheckRule, ...]:
    rules = {rule.name: rule for rule in base}
    for name, values in said.items():
        rule = _rule(name, rules.get(name), values, spot / name)
        if rule is not None:
            rules[name] = rule
    return tuple(rules.values())


def _rule(name: str, old: CheckRule | None, values: Values, spot: Spot) -> CheckRule | None:
    kinds = [kind for kind, keys in OF_KIND.items() if _field(keys[0]) in values]
    if len(kinds) > 1:
        spot.wrong(f"expected {WANTED}, not {' and '.join(OF_KIND[kind][0] for kind in kinds)} together")
        return None
    if not kinds and old is None:
        spot.wrong(f"expected {WANTED}")
        return None
    kind = kinds[0] if kinds or old is None else old.kind
    if old is None or kind is not old.kind:
        old = CheckRule(name, kind)
    _check_foreign(kind, values, spot)
    if not spot.clean:
        return None
    rule = _filled(old, values)
    if rule.within_s is not None and rule.within_s > rule.deadline_s:
        (spot / "within").wrong(
            f"expected at most the deadline of {written(rule.deadline_s)}, got {written(rule.within_s)}"
        )
    if rule.replay is not None and "differing" in values and rule.replay.differing >= 1:
        (spot / "differing").warn("every answer may differ: the replay proves nothing")
    for key, field in (("command", "command"), ("load", "loaded_by")):
        for each in unknown_placeholders(values.get(field, ())):
            known = ", ".join(f"{{{name}}}" for name in FILLED)
            (spot / key).warn(f"{each} is passed on as it stands: filled in are {known}")
    return rule


def _filled(old: CheckRule, values: Values) -> CheckRule:
    """`old` with the keys of its kind, and the deadline, as `values` say."""
    own: dict[str, Any] = {field: values[field] for field in map(_field, OF_KIND[old.kind]) if field in values}
    rest = {"deadline_s": values["deadline_s"]} if "deadline_s" in values else {}
    if old.kind is CheckKind.REPLAY:
        replay = ReplayRule(**own) if old.replay is None else replace(old.replay, **own)
        return replace(old, replay=replay, **rest)
    if old.kind is CheckKind.LOAD:
        command = own.pop("loaded_by", old.command)
        return replace(old, command=command, load=replace(old.load or LoadRule(), **own), **rest)
    own.pop("manual", None)
    return replace(old, **own, **rest)


def _check_foreign(kind: CheckKind, values: Values, spot: Spot) -> None:
    for other, keys in OF_KIND.items():
        for key in keys:
            if other is not kind and _field(key) in values:
                (spot / key).wrong(f"does not belong to a {_WORD[kind]}, only to a {_WORD[other]}")
    if kind is CheckKind.MANUAL and "deadline_s" in values:
        (spot / "deadline").wrong("does not belong to a check by hand: it waits until a person has looked")


def _field(key: str) -> str:
    return CHECK.keys[key].to or key


_WORD: Mapping[CheckKind, str] = {
    CheckKind.PROBE: "probe",
    CheckKind.COMMAND: "command",
    CheckKind.REPLAY: "replay",
    CheckKind.LOAD: "load test",
    CheckKind.MANUAL: "check by hand",
}
