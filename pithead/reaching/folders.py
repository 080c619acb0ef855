"""The controller's own folders: could it make them and write there? Nothing is made."""

import os
from pathlib import Path

from pithead.places import Places
from pithead.reaching.reached import Kind, Reached, Wrong, told


def folders(places: Places) -> list[Reached]:
    """A line for each that is no good to a controller of this user; nothing where both are."""
    lines = []
    for path, key in ((places.state, "state_dir"), (places.run, "run_dir")):
        wrong = _wrong(path, key)
        if wrong is not None:
            lines += told(Kind.FOLDER, "", str(path), [wrong], "")
    return lines


def _wrong(path: Path, key: str) -> Wrong | None:
    try:
        return _asked(path, key)
    except OSError as error:
        return Wrong(f"{error.strerror or error}", f"mend that, or set {key}")


def _asked(path: Path, key: str) -> Wrong | None:
    """Raises `OSError`, as of a link that leads in a circle."""
    at = path
    while not os.path.lexists(at) and at != at.parent:
        at = at.parent
    where = "" if at == path else f"cannot be made: {at} "
    if not at.is_dir():
        return Wrong(f"{where}is no folder", f"move it away, or set {key}")
    if at == path and at.stat().st_uid != os.geteuid():
        return Wrong(f"belongs to uid {at.stat().st_uid}", f"run as that user, or set {key} to a folder of your own")
    # The kernel knows of more than modes: a disk may be read-only.
    if not os.access(at, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        return Wrong(f"{where}cannot be written", f"make it writable for this user, or set {key}")
    return None
