"""On which line each key of a TOML text stands, which the standard parser does not tell.

The scan also bounds what that parser is given: dotted keys and nesting, which cost it memory without
end. It knows TOML's shape, not its values: what it lets through, the parser still judges.
"""

import re
import tomllib
from dataclasses import dataclass, field

from adapters.config.errors import Path

DEEPEST = 16
"""Parts in the path of a value, places in arrays included."""
LONGEST_KEY = 256
"""Characters of a key with all its dots."""

_BLANK = re.compile(r"[ \t]*+")
_FILL = re.compile(r"(?:[ \t\n]++|#[^\n]*+)*")
_LINE_END = re.compile(r"[ \t]*+(?:#[^\n]*+)?(?:\n|\Z)")
_BARE = re.compile(r"[A-Za-z0-9_-]++")
_STRING = re.compile(
    r'"""(?:[^"\\]++|\\[\s\S]|"{1,2}(?!"))*"{3,5}'
    r"|'''(?:[^']++|'{1,2}(?!'))*'{3,5}"
    r'|"(?!"")(?:[^"\\\n]++|\\.)*"'
    r"|'(?!'')[^'\n]*+'"
)
_SCALAR = re.compile(r"[0-9A-Za-z+\-_.:]++(?: (?=\d\d:)[0-9:.+\-Zz]++)?")


class Unscannable(Exception):
    """The text is no TOML from `at` on (an offset)."""

    def __init__(self, at: int, why: str) -> None:
        super().__init__(why)
        self.at = at


class TooDeep(Unscannable):
    """TOML, but with a key longer or a value deeper than anyone needs."""


def line_at(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def lines_of(text: str) -> dict[Path, int]:
    r"""The line, from 1, of each key and array element of `text` (line ends are "\n").

    Raises `TooDeep` or `Unscannable`.
    """
    scan = _Scan(text)
    while scan.at < len(text):
        scan.expression()
    return scan.lines


@dataclass(slots=True)
class _Scan:
    text: str
    at: int = 0
    lines: dict[Path, int] = field(default_factory=dict)
    _table: Path = ()
    _arrays: dict[Path, int] = field(default_factory=dict)
    """Arrays of tables, with the place of their newest table."""
    _line: int = 1
    _counted: int = 0

    def expression(self) -> None:
        """One line: a header, a key with its value, or neither."""
        self._skip(_BLANK)
        if self.text.startswith("[", self.at):
            self._header()
        elif self.text[self.at : self.at + 1] not in ("", "#", "\n"):
            self._pair(self._table)
        end = _LINE_END.match(self.text, self.at)
        if end is None:
            raise Unscannable(self.at, "expected the end of the line")
        self.at = end.end()

    def _header(self) -> None:
        line = self._here()
        many = self.text.startswith("[[", self.at)
        self.at += 2 if many else 1
        parts = self._key(0)
        self._expect("]]" if many else "]")
        path: Path = ()
        for place, part in enumerate(parts):
            path = (*path, part)
            last = place == len(parts) - 1
            if many and last:
                self._arrays[path] = self._arrays.get(path, -1) + 1
            self.lines.setdefault(path, line)
            if path in self._arrays:
                path = (*path, self._arrays[path])
                self.lines.setdefault(path, line)
        self._table = path

    def _pair(self, table: Path) -> None:
        line = self._here()
        path = table
        for part in self._key(len(table)):
            path = (*path, part)
            self.lines.setdefault(path, line)
        self._expect("=")
        self._skip(_BLANK)
        self._value(path)

    def _key(self, depth: int) -> list[str]:
        self._skip(_BLANK)
        start = self.at
        parts: list[str] = []
        while True:
            parts.append(self._key_part())
            if depth + len(parts) > DEEPEST:
                raise TooDeep(start, f"expected at most {DEEPEST} keys inside each other")
            if self.at - start > LONGEST_KEY:
                raise TooDeep(start, f"expected a key of at most {LONGEST_KEY} characters")
            self._skip(_BLANK)
            if not self.text.startswith(".", self.at):
                return parts
            self.at += 1
            self._skip(_BLANK)

    def _key_part(self) -> str:
        found = _BARE.match(self.text, self.at)
        if found is None and not self.text.startswith(('"""', "'''"), self.at):
            found = _STRING.match(self.text, self.at)
        if found is None:
            raise Unscannable(self.at, "expected a key")
        if found.end() - found.start() > LONGEST_KEY:
            raise TooDeep(self.at, f"expected a key of at most {LONGEST_KEY} characters")
        self.at = found.end()
        raw = found[0]
        if raw[0] == '"' and "\\" in raw:
            try:
                return str(tomllib.loads(f"key = {raw}")["key"])
            except ValueError:
                raise Unscannable(found.start(), "expected a key") from None
        return raw[1:-1] if raw[0] in "\"'" else raw

    def _value(self, path: Path) -> None:
        if len(path) > DEEPEST:
            raise TooDeep(self.at, f"expected at most {DEEPEST} keys and arrays inside each other")
        first = self.text[self.at : self.at + 1]
        if first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        else:
            found = (_STRING if first in ("'", '"') else _SCALAR).match(self.text, self.at)
            if found is None:
                raise Unscannable(self.at, "expected a value")
            self.at = found.end()

    def _array(self, path: Path) -> None:
        self.at += 1
        place = 0
        self._skip(_FILL)
        while not self.text.startswith("]", self.at):
            inner = (*path, place)
            self.lines.setdefault(inner, self._here())
            self._value(inner)
            place += 1
            self._skip(_FILL)
            if not self.text.startswith("]", self.at):
                self._expect(",")
                self._skip(_FILL)
        self.at += 1

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        self._skip(_BLANK)
        if self.text.startswith("}", self.at):
            self.at += 1
            return
        while True:
            self._pair(path)
            self._skip(_BLANK)
            if self.text.startswith("}", self.at):
                self.at += 1
                return
            self._expect(",")
            self._skip(_BLANK)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()

    def _expect(self, mark: str) -> None:
        if not self.text.startswith(mark, self.at):
            raise Unscannable(self.at, f"expected {mark!r}")
        self.at += len(mark)

    def _here(self) -> int:
        """The line that `at` is on; counted on from the last one asked for."""
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line
