"""Values as words of a POSIX shell: what is quoted here is never code there."""

import re
import shlex
from collections.abc import Mapping, Sequence

from pipeline.text import plain

_PLACEHOLDER = re.compile(r"(\{(?:revision|service|host)\})")
_UNFIT = re.compile(r"[\x00-\x1f\x7f]")


def word(text: str) -> str:
    """`text` as one word. Raises `ValueError` for control characters."""
    if _UNFIT.search(text):
        raise ValueError(f'control characters in "{plain(text, 60)}": leave them out')
    return shlex.quote(text)


def path(text: str) -> str:
    """A path on the host as one word: absolute, or `~/...` in the login's home. Raises `ValueError` for others."""
    if text.startswith("~/"):
        return '"$HOME"/' + word(text[2:].rstrip("/"))
    if text.startswith("/") and text.strip("/"):
        return word(text.rstrip("/"))
    raise ValueError(f'path on the host "{plain(text, 60)}": must begin with / or ~/, and name a folder')


def argv(arguments: Sequence[str], filling: Mapping[str, str]) -> str:
    """A command as the words of one shell variable, to be set out by `eval "set -- $name"`.

    `{service}` and `{host}` are filled from `filling`; `{revision}` stays the shell's own `$revision`, as only
    the host knows to which it goes back. Other braces stay. Raises `ValueError` for control characters.
    """
    return word(" ".join(_argument(argument, filling) for argument in arguments))


def _argument(argument: str, filling: Mapping[str, str]) -> str:
    parts = []
    for part in _PLACEHOLDER.split(argument):
        if part == "{revision}":
            parts.append('"$revision"')
        elif part:
            parts.append(word(filling[part[1:-1]] if _PLACEHOLDER.fullmatch(part) else part))
    return "".join(parts) or "''"
