"""Text from outside, made safe to show.

Everything that a host, a metric page, a check or a client says passes `plain` at the adapter's
boundary and is a `PlainText` from there on: one line, bounded, no control, format or unassigned
characters. Identifiers (services, revisions, hosts) are not cleaned but checked: `is_identifier`.
"""

import re
import unicodedata
from typing import NewType

PlainText = NewType("PlainText", str)
"""One line that is safe to write to a terminal: made by `plain`, never by hand from outside text."""

LONGEST = 500
MARKS_A_CELL = 2
_SAFE = re.compile(r"[ -~]*\Z")
_IDENTIFIER = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._-]{0,99}\Z")


def plain(raw: str | bytes, longest: int = LONGEST) -> PlainText:
    r"""`raw` as one safe line of at most `longest` characters.

    Bytes are read as UTF-8 with replacement. Control, format, surrogate, private and unassigned
    characters become `\uFFFD`; line ends and tabs become spaces; at most two combining marks
    stay on a character. What is cut ends in "...".
    """
    if isinstance(raw, bytes):
        raw = raw[: 4 * longest + 4].decode("utf-8", "replace")
    if len(raw) > longest:
        raw = raw[: longest - 3] + "..."
    if _SAFE.match(raw):
        return PlainText(raw)
    kept: list[str] = []
    marks = 0
    for char in raw:
        category = unicodedata.category(char)
        if char in "\t\n\r\v\f\x85\u2028\u2029":
            kept.append(" ")
        elif category[0] == "C":
            kept.append("\ufffd")
        elif category[0] == "M":
            marks += 1
            if marks <= MARKS_A_CELL and kept:
                kept.append(char)
            continue
        else:
            kept.append(char)
        marks = 0
    return PlainText("".join(kept))


def is_identifier(name: str) -> bool:
    """Whether `name` may name a service, revision or host: `[A-Za-z0-9._-]`, 1 to 100, no leading dash."""
    return _IDENTIFIER.match(name) is not None
