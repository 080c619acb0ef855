"""From what the file says of servers to their settings: of metrics, of hosts, of alerts."""

from typing import Any

from adapters.alerts.access import Access
from adapters.alerts.alert import AlertLabels
from adapters.config.errors import Spot
from adapters.config.schema import Values
from adapters.config.values import made
from adapters.discovery.labels import LabelNames
from adapters.means import AlertSettings, DiscoverySettings, PrometheusSettings
from adapters.metrics.prometheus.queries import Labels, OwnQuery
from adapters.metrics.prometheus.settings import ServerSettings
from adapters.secret import Secret


def prometheus(said: Values, queries: tuple[OwnQuery, ...], spot: Spot) -> PrometheusSettings | None:
    """Raises `Unread`."""
    values = dict(said)
    server: Values = {
        key: values.pop(key) for key in ("url", "ca_file", "client_cert", "client_key", "user") if key in values
    }
    for key, field in (("token", "bearer"), ("password", "password")):
        secret = _secret(values, key, spot)
        if secret is not None:
            server[field] = Secret(file=secret[0], env=secret[1])
    for key in ("headers", "params"):
        if key in values:
            server[key] = values.pop(key)
    server["method"] = "GET" if values.pop("get", False) else "POST"
    server["trust_env"] = values.pop("proxy", False)
    labels: Values = {}
    for key, field in (("host_label", "host"), ("matchers", "extra")):
        if key in values:
            labels[field] = values.pop(key)
    if "up" in values:
        labels["up"], labels["up_matchers"] = values.pop("up")
    found = made(lambda: ServerSettings(**server), spot)
    told = made(lambda: Labels(**labels), spot)
    return PrometheusSettings(found, told, queries=queries, **values)


def _secret(values: Values, key: str, spot: Spot) -> tuple[Any, str] | None:
    file, variable = values.pop(f"{key}_file", None), values.pop(f"{key}_env", "")
    if file is not None and variable:
        spot.refuse(f"expected {key}_file or {key}_env, not both")
    return (file, variable) if file is not None or variable else None


def discovery(name: str, said: Values, *, has_prometheus: bool, spot: Spot) -> DiscoverySettings:
    """Raises `Unread`."""
    values = dict(said)
    if sum(bool(values.get(key)) for key in ("file", "command", "prometheus")) != 1:
        spot.refuse("expected one of file, command and prometheus = true")
    if values.get("prometheus") and not has_prometheus:
        spot.refuse("there is no [prometheus] to ask for its targets")
    names = {**values.pop("labels", {}), **{key: values.pop(key) for key in ("staging", "production") if key in values}}
    return DiscoverySettings(name, names=LabelNames(**names), **values)


def alerts(said: Values, spot: Spot) -> AlertSettings:
    """Raises `Unread`."""
    values = dict(said)
    access: Values = {key: values.pop(key) for key in ("user", "headers") if key in values}
    for key, field in (("token", "bearer"), ("password", "password")):
        secret = _secret(values, key, spot)
        if secret is not None:
            access[field] = Secret(file=secret[0], env=secret[1])
    labels = AlertLabels(**values.pop("labels", {}))
    return AlertSettings(values.pop("url"), Access(**access), labels, **values)
