"""A section of the file, described once: the description reads it and knows its key names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from adapters.config.errors import Spot, Unread, nearest, shown
from adapters.config.values import Reader
from pipeline.text import is_identifier

T = TypeVar("T")
Values = dict[str, Any]
"""What a section says, by the field of the dataclass that it belongs to."""


@dataclass(frozen=True, slots=True)
class Key:
    """How one key is read."""

    read: Reader[Any]
    to: str = ""
    """The field it goes to, where that is named otherwise; the default is the field's."""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    keys: Mapping[str, Key]
    gone: Mapping[str, str] = field(default_factory=dict)
    """Keys of earlier versions, and what to write instead."""

    def __call__(self, table: object, spot: Spot) -> Values:
        """What `table` says, as far as it is right; what is wrong is reported."""
        values: Values = {}
        found = as_table(table, spot)
        for key, value in self.expected_keys(found, spot):
            try:
                values[self.keys[key].to or key] = self.keys[key].read(value, spot / key)
            except Unread:
                continue
        for key, described in self.keys.items():
            if described.required and key not in found:
                spot.wrong(f'"{key}" is missing')
        return values

    def expected_keys(self, table: Mapping[str, object], spot: Spot) -> Iterator[tuple[str, object]]:
        """The keys of `table` that the section has; the others are reported."""
        for key, value in table.items():
            if key in self.keys:
                yield key, value
            else:
                (spot / key).wrong(f"unknown key: {self.gone.get(key) or nearest(key, self.keys)}")


def as_table(value: object, spot: Spot) -> Mapping[str, object]:
    """`value` as a table; anything else is reported and read as an empty one."""
    if isinstance(value, dict):
        return value
    spot.wrong(f"expected a table, got {shown(value)}")
    return {}


def named(table: object, spot: Spot) -> Iterator[tuple[str, object, Spot]]:
    """The sub-tables of `table` whose names are identifiers; other names are reported."""
    for name, value in as_table(table, spot).items():
        if is_identifier(name):
            yield name, value, spot / name
        else:
            (spot / name).wrong("expected a name of letters, digits, '.', '_' and '-' (1 to 100, no leading dash)")


def table_of(section: Section, *, partly: bool = False) -> Reader[dict[str, Values]]:
    """Reads `[X.NAME]` tables by name; those with a mistake are left out, unless `partly`."""

    def read(table: object, spot: Spot) -> dict[str, Values]:
        found: dict[str, Values] = {}
        for name, value, at in named(table, spot):
            values = section(value, at)
            if partly or at.clean:
                found[name] = values
        return found

    return read


def tables_of(section: Section) -> Reader[dict[int, Values]]:
    """Reads `[[X]]` tables by place; those with a mistake are left out."""

    def read(tables: object, spot: Spot) -> dict[int, Values]:
        if not isinstance(tables, list):
            spot.expected("an array of tables", tables)
        found: dict[int, Values] = {}
        for place, table in enumerate(tables):
            values = section(table, spot / place)
            if (spot / place).clean:
                found[place] = values
        return found

    return read
