"""What is wrong in a configuration: everything at once, each with its file, line and key."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from difflib import get_close_matches
from typing import NoReturn

from pipeline.text import plain

Path = tuple[str | int, ...]
"""Where a value stands in the file: keys, and places in arrays counted from 0."""

LONGEST_SHOWN = 60
MOST_SHOWN = 100
"""Errors told of one file; a file that is wrong all over has the same few mistakes."""


@dataclass(frozen=True, slots=True)
class ConfigError:
    """One mistake; as text `config.toml:12: service.checkout.canary.share: expected 0.05 to 0.1, got 7`."""

    file: str
    line: int
    """From 1; 0 where the whole file is meant."""
    key: str
    """Dotted, with places in arrays as `hosts[0]`; "" where no key is meant."""
    message: str
    column: int = 0
    """From 1; 0 where it is not known."""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return ": ".join(part for part in (place, self.key, self.message) if part)


class ConfigErrors(Exception):
    """A configuration that is not usable; nothing of it was taken."""

    def __init__(self, errors: Collection[ConfigError], warnings: Collection[ConfigError] = ()) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: (error.line, error.column)))
        self.warnings = tuple(warnings)
        super().__init__("\n".join(str(error) for error in self.errors))


class Unread(Exception):
    """A value could not be used; why has been reported already."""


@dataclass(slots=True)
class Problems:
    """Collects what is wrong in one file, with the line of every key."""

    file: str
    lines: Mapping[Path, int] = field(default_factory=dict)
    errors: list[ConfigError] = field(default_factory=list)
    warnings: dict[ConfigError, None] = field(default_factory=dict)
    """In order, each once: what many services take from the organisation is told there."""
    faulty: set[Path] = field(default_factory=set)
    """Where there is a mistake, and everything around it."""

    def line_of(self, path: Path) -> int:
        """The line of `path`, or of the nearest thing around it that stands in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def raise_if_any(self) -> None:
        if not self.errors:
            return
        told = self.errors[:MOST_SHOWN]
        left = len(self.errors) - len(told)
        if left:
            told.append(ConfigError(self.file, told[-1].line, "", f"and {left} more errors"))
        raise ConfigErrors(told, self.warnings)


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in the file, and where to say what is wrong there."""

    problems: Problems
    path: Path = ()

    def __truediv__(self, part: str | int) -> "Spot":
        return Spot(self.problems, (*self.path, part))

    def within(self, parts: Path) -> "Spot":
        return Spot(self.problems, (*self.path, *parts))

    @property
    def line(self) -> int:
        return self.problems.line_of(self.path)

    @property
    def clean(self) -> bool:
        """Whether nothing wrong was found here or further in."""
        return self.path not in self.problems.faulty

    def wrong(self, message: str) -> None:
        self.problems.faulty.update(self.path[:length] for length in range(len(self.path) + 1))
        self.problems.errors.append(ConfigError(self.problems.file, self.line, dotted(self.path), message))

    def refuse(self, message: str) -> NoReturn:
        """Report `message` and raise `Unread`."""
        self.wrong(message)
        raise Unread

    def expected(self, what: str, got: object) -> NoReturn:
        self.refuse(f"expected {what}, got {shown(got)}")

    def warn(self, message: str) -> None:
        self.problems.warnings[ConfigError(self.problems.file, self.line, dotted(self.path), message)] = None


def dotted(path: Path) -> str:
    """`path` as one writes it: `service.cart.hosts[0].name`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            bare = part.isascii() and part.replace("-", "").replace("_", "").isalnum()
            text += ("." if text else "") + (part if bare else f'"{plain(part, LONGEST_SHOWN)}"')
    return text


def shown(value: object) -> str:
    """`value` as the file would write it, short and safe to show."""
    if isinstance(value, str):
        return f'"{plain(value, LONGEST_SHOWN)}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "an array" if value else "an empty array"
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, int) and value.bit_length() > 200:
        return "a very large number"
    return plain(str(value), LONGEST_SHOWN)


def nearest(name: str, known: Collection[str]) -> str:
    """`did you mean "share"?`, or the names there are."""
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f'did you mean "{plain(close[0], LONGEST_SHOWN)}"?'
    names = [plain(each, LONGEST_SHOWN) for each in sorted(known)]
    return f"there is {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}" if names else "there is none"
