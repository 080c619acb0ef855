"""Keys as data: what each does, where, by which id it can be remapped, and whether it changes anything.

A screen takes `bindings(FLEET)` and shows `FLEET` in its help; `remap` checks what a user wants changed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class Key:
    id: str
    """What a user remaps it by: "release.promote"."""
    keys: str
    """The toolkit's names, comma-separated: "P", "question_mark"."""
    shown: str
    action: str
    label: str
    """In the line of keys: a word or two; "" keeps it out of that line."""
    help: str
    changes: bool = False
    """Whether it changes production, so that a read-only room does not offer it."""
    ask: bool = False
    """Whether it asks before it acts."""


HELP = Key("room.help", "question_mark,f1", "?", "show_help", "help", "the keys of this view, and why one is off")
LEAVE = Key("room.leave", "q", "q", "leave", "quit", "leave; rollouts go on without this screen")
BACK = Key("room.back", "q,escape", "q", "back", "back", "back to where you came from, as Esc; from the fleet q leaves")
RETRY = Key("room.retry", "r", "r", "retry", "", "ask a lost controller again now")
FAULT = Key("room.fault", "exclamation_mark", "!", "fault", "", "why the controller does not answer")

PAUSE = Key(
    "release.pause",
    "p",
    "p",
    "pause",
    "pause",
    "pause, or resume: at once; a paused canary is still judged",
    changes=True,
)
PROMOTE = Key(
    "release.promote", "P", "P", "promote", "promote", "promote: asks, shows what holds it", changes=True, ask=True
)
ROLLBACK = Key(
    "release.rollback", "R", "R", "rollback", "roll back", "roll back: asks, then acts", changes=True, ask=True
)
RELEASE = (PAUSE, PROMOTE, ROLLBACK)
LOCK = Key(
    "service.lock", "L", "L", "lock", "lock", "lock it, or unlock it: asks for the reason", changes=True, ask=True
)

FLEET = (
    HELP,
    Key("fleet.open", "enter", "Enter", "open", "open", "the page of the selected service"),
    *RELEASE,
    Key("fleet.filter", "slash", "/", "filter", "filter", "filter: word, !word, team:pay state:bake; Esc clears"),
    Key("fleet.budget", "u", "u", "budgets", "budget", "error budgets: time left, burn, outages, who may deploy"),
    Key("fleet.history", "t", "t", "history", "history", "what happened, newest first"),
    Key("fleet.sort", "s", "s", "sort", "sort", "sort by the next column"),
    Key("fleet.reverse", "S", "S", "reverse", "", "reverse the order"),
    Key("fleet.preset.all", "1", "1", "preset('all')", "all", "every service"),
    Key("fleet.preset.moving", "2", "2", "preset('moving')", "moving", "services with a release on its way"),
    Key("fleet.preset.attention", "3", "3", "preset('attention')", "attention", "services that wait for a person"),
    Key("fleet.clear", "escape", "Esc", "clear", "", "clear the filter"),
    RETRY,
    FAULT,
    LEAVE,
)

MOVES = (
    ("j k, arrows", "up and down"),
    ("g G, Home End", "first and last"),
    ("Ctrl+D Ctrl+U", "half a page; PgDn PgUp a whole one"),
    ("Ctrl+L Ctrl+Z", "redraw; suspend, fg brings it back"),
    ("Ctrl+C twice", "leave from anywhere"),
)
"""Keys that are the same everywhere and cannot be remapped."""

FIXED = frozenset(
    {"up", "down", "j", "k", "g", "G", "home", "end", "pageup", "pagedown", "tab", "shift+tab", "escape"}
) | {f"ctrl+{letter}" for letter in "cdlquz"}
VIEWS: Mapping[str, Sequence[Key]] = {"fleet": FLEET}


class KeyMapError(ValueError):
    """A wish for a key that cannot be; says which, why, and what to write instead."""


def bindings(keys: Iterable[Key]) -> list[BindingType]:
    return [Binding(key.keys, key.action, key.help, id=key.id, key_display=key.shown) for key in keys]


def remap(wanted: Mapping[str, str], views: Mapping[str, Sequence[Key]] = VIEWS) -> dict[str, str]:
    """`wanted` (id -> keys) if it can be had, as the toolkit wants it; raises `KeyMapError` with every fault.

    A key that would do two things in one view is refused: promoting where one meant to roll back is no slip.
    """
    known = {key.id: key for keys in views.values() for key in keys}
    faults = []
    for id_, keys in wanted.items():
        if id_ not in known:
            near = get_close_matches(id_, known, 1)
            faults.append(f"keys.{id_}: no such action{f'; did you mean {near[0]}?' if near else ''}")
        elif not all(part.strip() for part in keys.split(",")):
            faults.append(f'keys.{id_}: names no key: write it as "x" or "x,f5"')
    for view, offered in views.items():
        faults += _clashes(view, offered, wanted)
    if faults:
        raise KeyMapError("; ".join(dict.fromkeys(faults)))
    return dict(wanted)


def _clashes(view: str, keys: Sequence[Key], wanted: Mapping[str, str]) -> list[str]:
    taken: dict[str, str] = {}
    faults = []
    for key in keys:
        for name in wanted.get(key.id, key.keys).split(","):
            name = name.strip()  # noqa: PLW2901
            if key.id in wanted and name in FIXED and name not in key.keys.split(","):
                faults.append(f"keys.{key.id}: {name} moves the cursor or leaves everywhere: take another key")
            if name in taken:
                faults.append(f"keys.{key.id}: {name} is {taken[name]} in the {view} view: take another key")
            taken.setdefault(name, key.id)
    return faults
