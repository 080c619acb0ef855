"""`pithead submit --ci`: what CI wrote of the build, from a file, or as it stands on the command line."""

import json
from pathlib import Path
from typing import Any

from pipeline.commands import CiSaid
from pipeline.text import plain
from pithead.exits import Exit, Failure

LONGEST = 64 * 1024
TEXTS = ("revision", "commit", "digest", "url")
EXAMPLE = '{"revision": "r1", "commit": "4f2a91c", "suites": {"lint": true, "unit": true}}'


def ci_said(given: str) -> CiSaid | None:
    """Raises `Failure`; whether it is about the build that is submitted, the controller says."""
    if not given:
        return None
    if given.lstrip().startswith("{"):
        return _read(given, "--ci")
    path = Path(given)
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(LONGEST + 1)
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else "") or "it cannot be read as UTF-8"
        raise Failure(f"--ci {plain(given, 200)}", why, "name the file that CI has written", Exit.USAGE) from None
    return _read(text, f"--ci {plain(given, 200)}")


def _read(text: str, what: str) -> CiSaid:
    def no(why: str) -> Failure:
        return Failure(what, why, f"expected {EXAMPLE}", Exit.USAGE)

    if len(text) > LONGEST:
        raise no(f"more than {LONGEST // 1024} kB")
    try:
        said: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise no(f"no JSON: {plain(str(error), 100)}") from None
    if not isinstance(said, dict):
        raise no("not an object of JSON")
    unknown = sorted(set(map(str, said)) - {*TEXTS, "suites"})
    if unknown:
        raise no(f"{plain(unknown[0], 60)} is not known")
    for key in TEXTS:
        if not isinstance(said.get(key, ""), str):
            raise no(f"{key} is no text")
    suites = said.get("suites")
    if not isinstance(suites, dict) or not all(isinstance(passed, bool) for passed in suites.values()):
        raise no("suites must say true or false by each suite's name")
    texts = {key: said.get(key, "") for key in TEXTS}
    return CiSaid(suites=tuple(suites.items()), **texts)
