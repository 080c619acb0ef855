"""Alerts of the company's own alerting about a canary: the grave ones undo it, and silence holds it."""

from collections.abc import Collection
from datetime import timedelta

from pipeline.alerts import Alert, Firing, told
from pipeline.gates import Answer, Gate
from pipeline.lifecycle import CANARY, Phase, Rollout
from pipeline.model import Rules, Track
from pipeline.words import duration

BEFORE_S = 60.0
"""An alert is the canary's if it fires since so long before the canary began, or later: clocks differ a little."""
ASKED = CANARY | {Phase.STAGING_CHECKS}
"""Phases of the canary, and the door into it: none is begun that nobody could warn of."""


def failing(rules: Rules, rollout: Rollout, firing: Firing) -> Alert | None:
    """The alert that the canary must be undone for: of a severity that counts, about it, and not older than it."""
    if rollout.phase not in CANARY or not rules.failing_alerts:
        return None
    # A canary that bakes was there before it baked, and nobody may have known of its alerts for as long as is allowed.
    unheard_s = rules.judge.stale_s if rollout.phase is Phase.CANARY_BAKE else 0.0
    since = rollout.since - timedelta(seconds=BEFORE_S + unheard_s)
    grave = {severity.casefold() for severity in rules.failing_alerts}
    return next((alert for alert in firing.alerts if _is_grave(alert, grave) and alert.since >= since), None)


def _is_grave(alert: Alert, severities: Collection[str]) -> bool:
    return alert.severity.casefold() in severities and alert.track.casefold() == Track.CANARY.value


def wrong(alert: Alert) -> str:
    """Why a release goes back, in one line."""
    return f"alert {told(alert)}"


def alerts(rules: Rules, rollout: Rollout, firing: Firing) -> tuple[Gate, ...]:
    """Nothing where no severity counts; a pass only where somebody has answered, and not too long ago."""
    if not rules.failing_alerts or rollout.phase not in ASKED:
        return ()
    if not firing.asked:
        lifts = "when [alertmanager] is set, or alerts.fail is not"
        return (
            Gate("alerts", Answer.UNKNOWN, "nobody is asked for alerts, and some would fail a canary", lifts=lifts),
        )
    lifts = "by itself, when Alertmanager answers; or roll back"
    why = f": {firing.fault}" if firing.fault else ""
    if not firing.heard:
        return (Gate("alerts", Answer.UNKNOWN, f"no word from Alertmanager yet{why}", lifts=lifts),)
    if firing.silent_s > rules.judge.stale_s:
        silent = f"no word from Alertmanager for {duration(firing.silent_s)}{why}"
        return (Gate("alerts", Answer.UNKNOWN, silent, lifts=lifts),)
    found = failing(rules, rollout, firing)
    if found is not None:
        lifts = "nothing: a failing release is rolled back"
        return (Gate("alerts", Answer.FAIL, wrong(found), since=found.since, lifts=lifts),)
    return (Gate("alerts", Answer.PASS, f"no {' or '.join(sorted(rules.failing_alerts))} alert about the canary"),)
