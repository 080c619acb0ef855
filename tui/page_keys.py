"""The keys of a service's page, the history, and whatever is opened to be read: as data, like those in `tui.keys`."""

from collections.abc import Mapping, Sequence

from tui.keys import BACK, FAULT, HELP, LOCK, RELEASE, RETRY, Key

SERVICE = (
    HELP,
    BACK,
    *RELEASE,
    Key("service.metrics", "1", "1-5", "tab(0)", "panes", "1 metrics; a pane where all of them are shown, else a tab"),
    Key("service.hosts", "2", "2", "tab(1)", "", "hosts by datacenter"),
    Key(
        "service.gates",
        "3",
        "3",
        "tab(2)",
        "",
        "gates: what holds the release, or would hold a new one",
    ),
    Key("service.timeline", "4", "4", "tab(3)", "", "what happened, and the decisions"),
    Key("service.readiness", "5", "5", "readiness", "", "its readiness list: what is missing, and what mends it"),
    Key("service.gate", "enter", "Enter", "gate", "", "on a gate that the cursor is on: all there is to read of it"),
    Key("service.budget", "u", "u", "budget", "budget", "its error budgets, outages and payback of downtime"),
    Key("service.history", "t", "t", "history", "history", "everything that happened to this service"),
    Key("service.explain", "e", "e", "explain", "explain", "why it is where it is, in full"),
    Key(
        "service.bounds",
        "b",
        "b",
        "bounds",
        "bounds",
        "values, or the canary's difference to its control with bounds and limit",
    ),
    LOCK,
    Key("service.logs", "l", "l", "logs", "logs", "what its hosts wrote last, the canary's beside production's"),
    Key("service.more", "m", "m", "more", "", "the next metrics, where there are more than fit"),
    Key(
        "service.previous",
        "left_square_bracket",
        "[ ]",
        "neighbour(-1)",
        "other service",
        "[ the service before it in the fleet",
    ),
    Key("service.next", "right_square_bracket", "]", "neighbour(1)", "", "the service after it in the fleet"),
    RETRY,
    FAULT,
)
BACK_AT_ONCE = Key(BACK.id, "q", "q", "back", "back", "back to where you came from, whatever the filter")
HISTORY = (
    HELP,
    BACK_AT_ONCE,
    Key("history.filter", "slash", "/", "filter", "filter", "only events that say this; Esc clears"),
    Key("history.clear", "escape", "Esc", "clear", "", "clear the filter; without one, back"),
    Key("history.dates", "d", "d", "dates", "dates", "write the date beside the time"),
    Key("history.zone", "z", "z", "zone", "UTC/local", "times in UTC, or in this machine's zone"),
    Key("history.open", "enter", "Enter", "open", "detail", "the event in full"),
    Key("history.export", "e", "e", "export", "export", "write what is listed to a file of JSON lines, in this folder"),
    Key("history.copy", "y", "y", "copy", "copy id", "copy the event's id to the clipboard"),
    RETRY,
    FAULT,
)
LOGS = (
    HELP,
    BACK_AT_ONCE,
    Key("logs.filter", "slash", "/", "filter", "filter", "only lines that say this, or of a host or track; Esc clears"),
    Key("logs.clear", "escape", "Esc", "clear", "", "clear the filter; without one, back"),
    Key("logs.wrap", "w", "w", "wrap", "wrap", "long lines cut, or in full"),
    Key("logs.refresh", "r", "r", "retry", "read now", "read the logs again now; else every 5 s"),
    FAULT,
)
BUDGETS = (
    HELP,
    BACK,
    Key("budget.open", "enter", "Enter", "open", "in full", "everything about the selected service's budgets"),
    Key("budget.service", "s", "s", "service", "service", "the page of the selected service"),
    Key("budget.history", "t", "t", "history", "history", "what happened to the selected service"),
    RETRY,
    FAULT,
)
ASKED = (
    HELP,
    BACK,
    Key("asked.history", "t", "t", "history", "history", "everything that happened to this service"),
    Key("asked.refresh", "r", "r", "retry", "ask now", "ask again now; else every 10 s"),
    FAULT,
)
READING = (
    Key("reading.back", "q,escape,enter", "q", "back", "back", "back to where you came from"),
    RETRY,
    FAULT,
)
PAGES: Mapping[str, Sequence[Key]] = {
    "service": SERVICE,
    "history": HISTORY,
    "logs": LOGS,
    "budget": BUDGETS,
    "asked": ASKED,
}
"""To be remapped together with `tui.keys.VIEWS`."""
