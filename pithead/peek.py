"""What a front end must know of the configuration, without reading all of it.

A thousand services take a second to read and check; where the controller's sockets are stands in a few
lines. And a verb must reach a running controller whatever has become of the rest of the file: a rollback
does not wait until somebody has mended a comma.
"""

import re
from pathlib import Path

from adapters.config import ConfigErrors, Settings, UiSettings
from adapters.config.build import FLEET
from adapters.config.errors import Spot
from adapters.config.sections import CONTROLLER, UI
from adapters.config.source import parsed
from pipeline.model import Fleet

LARGEST_BYTES = 4 * 2**20
_TABLE = re.compile(r"\s*\[\s*(controller|ui)\s*\]")


def peek(path: Path) -> tuple[Settings, str]:
    """Settings without any service, by `[controller]` and `[ui]` alone; and what is wrong there, or ""."""
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_BYTES).decode("utf-8", "replace")
        document, problems = parsed(cut(text), str(path))
    except OSError as error:
        return Settings(path, Fleet(), ()), f"{path}: cannot be read: {error.strerror}"
    except ConfigErrors as errors:
        return Settings(path, Fleet(), ()), str(errors.errors[0])
    spot = Spot(problems)
    controller = CONTROLLER(document.get("controller", {}), spot / "controller")
    ui = UI(document.get("ui", {}), spot / "ui")
    rest = {key: value for key, value in controller.items() if key not in FLEET}
    wrong = str(problems.errors[0]) if problems.errors else ""
    return Settings(path, Fleet(), (), ui=UiSettings(**ui), **rest), wrong


def cut(text: str) -> str:
    """`text` with every line blank that is not in one of the two tables: lines keep their numbers."""
    kept: list[str] = []
    inside = False
    for line in text.split("\n"):
        if line.lstrip().startswith("["):
            inside = _TABLE.match(line) is not None
        kept.append(line if inside else "")
    return "\n".join(kept)
