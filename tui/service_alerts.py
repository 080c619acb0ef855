"""Alerts of the company's own alerting on a service's page: a line of the gravest, and all of them in words. Pure."""

from pipeline.alerts import Alert, told_whole
from pipeline.view import ServiceView
from tui.widgets.pane import Look, crop
from tui.widgets.runs import Runs
from tui.words import span


def alerts_line(view: ServiceView, width: int, look: Look) -> Runs:
    """` ! 2 alerts fire: HighErrors (critical) on canary in prod, since 12m: 5 % fail`; () where nothing does.

    Where nobody knows what fires, that comes first.
    """
    count = view.row.alerts
    if view.alerts_fault:
        kept = f"; {count} fired when it last answered" if count else ""
        runs: Runs = ((f" {look.glyphs.unknown} alerts unknown: {view.alerts_fault}{kept}", look.palette.warn),)
        return crop(runs, width, look.glyphs.more)
    if not view.alerts:
        return ()
    counted = "alert fires" if count == 1 else f"{count} alerts fire"
    runs = ((f" {look.glyphs.watched} {counted}: {alert_text(view.alerts[0], view)}", look.palette.fail),)
    return crop(runs, width, look.glyphs.more)


def alert_text(alert: Alert, view: ServiceView) -> str:
    return told_whole(alert, span((view.at - alert.since).total_seconds()))


def alert_texts(view: ServiceView) -> tuple[str, ...]:
    """In full, a sentence each."""
    found = [f"unknown: {view.alerts_fault}"] if view.alerts_fault else []
    found += [alert_text(alert, view) for alert in view.alerts]
    more = view.row.alerts - len(view.alerts)
    return (*found, *([f"and {more} more"] if more > 0 else []))
