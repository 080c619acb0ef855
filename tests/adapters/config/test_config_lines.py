"""The scanner that knows on which line a key stands, against texts whose lines are known."""

import json
import tomllib
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.config.errors import ConfigErrors, Path
from adapters.config.lines import TooDeep, Unscannable, lines_of
from adapters.config.source import parsed


def paths_of(value: object, path: Path = ()) -> set[Path]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    here = {path} if path else set()
    return here.union(*(paths_of(each, (*path, key)) for key, each in inner))


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=max(text, default="") <= "\uffff")


@dataclass
class Writer:
    """Writes a document in styles that `draw` chooses, and notes the line of every path."""

    draw: st.DrawFn
    text: str = ""
    lines: dict[Path, int] = field(default_factory=dict)

    def pick(self, *options: str) -> str:
        return self.draw(st.sampled_from(options))

    def note(self, path: Path) -> None:
        self.lines.setdefault(path, self.text.count("\n") + 1)

    def key(self, key: str) -> str:
        styles = [quoted(key)]
        if key and all(char.isascii() and (char.isalnum() or char in "-_") for char in key):
            styles.append(key)
        if key.isprintable() and "'" not in key:
            styles.append(f"'{key}'")
        return self.pick(*styles)

    def end(self) -> None:
        self.text += self.pick("\n", " # = [ { \" '\n", "\n\n", "\n# [no.table]\n\t \n")

    def pair(self, table: Path, key: str, value: object, inline: bool) -> None:
        path: Path = (*table, key)
        self.note(path)
        self.text += self.key(key)
        while isinstance(value, dict) and len(value) == 1 and self.draw(st.booleans()):
            ((key, value),) = value.items()
            path = (*path, key)
            self.note(path)
            self.text += self.pick(".", " . ", "\t.") + self.key(key)
        self.text += self.pick("=", " = ")
        self.value(path, value)
        if not inline:
            self.end()

    def value(self, path: Path, value: object) -> None:
        if isinstance(value, dict):
            self.text += "{"
            for number, (key, each) in enumerate(value.items()):
                self.text += ", " if number else " "
                self.pair(path, key, each, inline=True)
            self.text += " }"
        elif isinstance(value, list):
            self.text += "["
            for place, each in enumerate(value):
                self.text += self.pick("", " ", "\n", '\n # ], } "\n\t')
                self.note((*path, place))
                self.value((*path, place), each)
                self.text += self.pick(",", ",", "\n,")
            self.text += self.pick("]", " ]", "\n]", "# ]\n]")
        elif isinstance(value, str):
            self.text += self.string(value)
        else:
            self.text += "true" if value is True else "false" if value is False else str(value)

    def string(self, value: str) -> str:
        begin = '"""\n' if value.startswith("\n") else '"""'  # a line end right behind the quotes is not part of it
        styles = [quoted(value), begin + quoted(value)[1:-1].replace("\\n", "\n") + '"""']
        if "'" not in value and all(char.isprintable() for char in value.replace("\n", "")):
            styles.append(f"'''\n{value}'''")
        return self.pick(*styles)

    def table(self, path: Path, table: dict[str, object]) -> None:
        later: list[tuple[str, object]] = []
        for key, value in table.items():
            tables = isinstance(value, list) and value and all(isinstance(each, dict) for each in value)
            if (isinstance(value, dict) or tables) and self.draw(st.booleans()):
                later.append((key, value))
            else:
                self.pair(path, key, value, inline=False)
        for key, value in later:
            inner: Path = (*path, key)
            if isinstance(value, dict):
                self.header("[", inner, "]")
                self.table(inner, value)
                continue
            assert isinstance(value, list)
            for place, each in enumerate(value):
                self.note(inner)
                self.note((*inner, place))
                self.header("[[", inner, "]]")
                self.table((*inner, place), each)

    def header(self, left: str, path: Path, right: str) -> None:
        self.note(path)
        names = [self.key(part) for part in path if isinstance(part, str)]
        self.text += self.pick("", "  ") + left + self.pick(".", " . ").join(names) + right
        self.end()


STRINGS = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\"'\\#[]{}=,."), max_size=8)
KEYS = st.one_of(st.sampled_from(["a", "b", "hosts", "7"]), STRINGS.filter(lambda key: "\n" not in key))
SCALARS = st.one_of(
    STRINGS,
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False),
    st.sampled_from([tomllib.loads(f"x={x}")["x"] for x in ("1979-05-27 07:32:00Z", "07:32:00", "1979-05-27")]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[str, object], dict[Path, int]]:
    document = draw(st.dictionaries(KEYS, VALUES, max_size=4))
    writer = Writer(draw)
    writer.table((), document)
    return writer.text, document, writer.lines


@given(documents())
def test_every_key_and_element_is_found_on_the_line_where_it_was_written(
    written: tuple[str, dict[str, object], dict[Path, int]],
) -> None:
    text, document, lines = written
    assert tomllib.loads(text) == document
    found = lines_of(text)
    assert found == lines
    assert set(found) == paths_of(document)


def test_headers_reach_into_the_newest_table_of_an_array_of_tables() -> None:
    text = "[[a]]\nx = 1\n[a.b]\ny = 2\n[[a]]\n[a.b]\ny = 3\n[[a.c]]\n[[a.c]]\nz = 4\n"
    lines = lines_of(text)
    assert lines["a", 0, "b", "y"] == 4
    assert lines["a", 1, "b", "y"] == 7
    assert lines["a", 1, "c", 1, "z"] == 10
    assert set(lines) == paths_of(tomllib.loads(text))


@given(st.text(alphabet="ab01 \n\t=[]{},.\"'#\\-:x\x00é", max_size=60))
@example('a = """\n\n')
@example("a = [1, 2\nb = 3")
@example("a = {b = 1,}\n")
@example("a.b = 1\na = 2\n")
@example("a = 1979-13-99\n")
def test_any_text_is_read_or_refused_in_words_and_never_read_without_lines(text: str) -> None:
    try:
        document, problems = parsed(text, "f")
    except ConfigErrors as refused:
        assert all(error.line and error.message for error in refused.errors)
        with pytest.raises(ValueError):
            tomllib.loads(text)
    else:
        assert set(problems.lines) == paths_of(document)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\n" + ".".join("a" * 17) + " = 1", 2),
        ("[" + ".".join(["a"] * 50_000) + "]", 1),
        ("x = 1\n" + " . ".join(["a"] * 50_000) + " = 1", 2),
        ("x = {" + ".".join(["a"] * 50_000) + " = 1}", 1),
        ("[a.b.c.d.e.f.g.h]\n" + ".".join("ijklmnopq") + " = 1", 2),
        ("a" * 257 + " = 1", 1),
        ('"' + "a" * 300_000 + '" = 1', 1),
        ("a = " + "[" * 100_000, 1),
        ("a = " + "{a = " * 100_000, 1),
    ],
)
def test_keys_too_long_or_too_deep_are_refused_before_the_parser_sees_them(text: str, line: int) -> None:
    with pytest.raises(TooDeep):
        lines_of(text)
    with pytest.raises(ConfigErrors) as refused:
        parsed(text, "f")
    assert [(error.line, error.key) for error in refused.value.errors] == [(line, "")]


def test_a_long_key_behind_a_mistake_does_not_reach_the_parser_either() -> None:
    with pytest.raises(ConfigErrors) as refused:
        parsed("a = 1\nb = ] " + ".".join(["a"] * 300_000) + " = 1\n", "f")
    assert str(refused.value) == "f:2:5: invalid value"


def test_the_first_16_levels_and_256_characters_are_allowed() -> None:
    text = ".".join("abcdefghijklmnop") + " = 1\n" + "q" * 256 + " = 2\n"
    assert set(lines_of(text)) == paths_of(tomllib.loads(text))


def test_what_is_no_toml_stops_the_scan_where_it_is() -> None:
    with pytest.raises(Unscannable) as stopped:
        lines_of("a = 1\nb 2\n")
    assert stopped.value.at == 8
