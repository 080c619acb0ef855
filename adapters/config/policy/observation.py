"""OBS: staging, canary and production are watched by the same queries.

A metric is defined once for all tracks and read host by host; which track a host is in is the controller's own
knowledge. So two dashboards can differ in one way only: by a query that picks its hosts itself.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from adapters.alerts.alert import AlertLabels
from adapters.config.errors import Spot
from adapters.config.policy.case import Case, Found, Rule
from adapters.discovery.labels import LabelNames
from adapters.metrics.prometheus.queries import HOSTS, Labels
from adapters.metrics.source import Matcher, Op
from pipeline.staging import Level

USUAL = ("env", "environment", "stage", "track", "pool", "deployment_environment")
"""Labels that tell staging, canary and production apart in most companies."""
STAGES = (("staging", "stage", "stg"), ("production", "prod", "live"), ("canary",))
"""What such labels say in most companies."""


def same_queries(case: Case) -> Iterator[Found]:
    said, root = case.company.said, case.company.root
    prometheus = said.get("prometheus", {})
    host = prometheus.get("host_label", Labels().host)
    telling = {*USUAL, *_labels_of(said), host}
    for name, values in said.get("signals", {}).items():
        at = root / "signals" / name
        if "promql" in values:
            yield from _own(values["promql"], host, telling - {host}, at / "promql")
        elif "series" in values:
            yield from _pinned(values["series"][1], telling, at / "series")
    yield from _pinned(prometheus.get("matchers", ()), telling, root / "prometheus" / "matchers")
    if "up" in prometheus:
        yield from _pinned(prometheus["up"][1], telling, root / "prometheus" / "up")


def _labels_of(said: Mapping[str, object]) -> Iterator[str]:
    """What this company calls them: of alerts, and of what discovery finds."""
    labels = _alert_labels(said)
    yield from (labels.environment, labels.track)
    discovery = said.get("discovery", {})
    for values in discovery.values() if isinstance(discovery, dict) else ():
        yield _table(values, "labels").get("pool", LabelNames().pool)


def _alert_labels(said: Mapping[str, object]) -> AlertLabels:
    default, names = AlertLabels(), _table(said.get("alertmanager"), "labels")
    return replace(
        default,
        service=names.get("service", default.service),
        environment=names.get("environment", default.environment),
        track=names.get("track", default.track),
        severity=names.get("severity", default.severity),
    )


def _table(values: object, key: str) -> dict[str, str]:
    found = values.get(key, {}) if isinstance(values, dict) else {}
    return found if isinstance(found, dict) else {}


def _own(promql: str, host: str, telling: Iterable[str], at: Spot) -> Iterator[Found]:
    for label in sorted(telling):
        yield from _pinned(_matched(promql, label), telling, at)
    if any(each.op is not Op.UNEQUAL or each.value for each in _matched(promql, host)):
        yield _differs(host, at)
    elif HOSTS not in promql and not re.search(rf"\b{re.escape(host)}\b", promql):
        yield Found(
            f"the query never names the label {host}: what it finds cannot be told apart by host, and so by track",
            f"sum by ({host}), with {HOSTS} in the braces",
            at,
        )


def _matched(promql: str, label: str) -> Iterator[Matcher]:
    """The conditions of a query on `label`."""
    for op, _, value in re.findall(rf"[{{,]\s*{re.escape(label)}\s*(=~|!~|!=|=)\s*([\"'`])(.*?)\2", promql):
        yield Matcher(label, Op(op), value)


def _pinned(matchers: Iterable[Matcher], telling: Iterable[str], at: Spot) -> Iterator[Found]:
    for label in sorted({each.label for each in matchers if each.label in telling and not _lets_all(each)}):
        yield _differs(label, at)


def _lets_all(matcher: Matcher) -> bool:
    """Whether the condition lets staging, canary and production through: `env!="test"`, `env=~"staging|prod"`."""
    if matcher.op is Op.EQUAL:
        return False
    of_track = matcher.label not in ("env", "environment", "deployment_environment")
    try:
        through = [any(matcher.matches({matcher.label: word}) for word in words) for words in STAGES]
    except re.error:
        return False
    if matcher.op in (Op.UNEQUAL, Op.UNLIKE):
        through = [all(matcher.matches({matcher.label: word}) for word in words) for words in STAGES]
    return all(through if of_track else through[:2])


def _differs(label: str, at: Spot) -> Found:
    return Found(
        f"the query picks its series by the label {label}: staging, canary and production are not seen by the same",
        f"leave {label} out: hosts are told apart by their own label",
        at,
    )


def labelled(case: Case) -> Iterator[Found]:
    said = case.company.said
    if "alertmanager" not in said:
        return
    its = _alert_labels(said)
    names = {"service": its.service, "environment": its.environment, "track": its.track, "severity": its.severity}
    for key in ("environment", "track"):
        same = [other for other, label in names.items() if other != key and label == names[key]]
        if same:
            yield Found(
                f'the label "{names[key]}" of alerts is to say {key} and {same[0]} at once',
                "name a label for each",
                case.company.root / "alertmanager" / "labels" / key,
            )
            return


RULES = (
    Rule(
        "OBS-01",
        Level.ERROR,
        "staging and canary are watched by production's queries, with the track replaced",
        same_queries,
        kept="a metric is defined once for all tracks (pipeline.model.JudgeRules) and asked for by host "
        "(adapters.metrics)",
    ),
    Rule(
        "OBS-02",
        Level.ERROR,
        "metrics, alerts and logs carry environment and track",
        labelled,
        kept="metrics and logs are read host by host, and the controller knows each host's track (pipeline.observed)",
    ),
    Rule(
        "OBS-03",
        Level.ERROR,
        "production's objective leaves staging out and counts the canary",
        kept="requests of production hosts alone are counted, canaries among them (pipeline.controller.ledger)",
    ),
    Rule(
        "OBS-04",
        Level.WARNING,
        "canary and production are shown in one pane",
        kept="a service's page has them side by side (pipeline.measured.panes)",
    ),
)
