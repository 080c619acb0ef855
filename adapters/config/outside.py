"""The sections about the world outside: how hosts are reached, what measures them, who tells of them."""

from adapters.alerts.alert import AlertLabels
from adapters.config.errors import Spot
from adapters.config.schema import Key, Section, as_table
from adapters.config.values import (
    Reader,
    argument,
    boolean,
    choice,
    file,
    matchers,
    name,
    number,
    page,
    seconds,
    sequence,
    series,
    text,
    unique,
    url,
    whole,
)
from adapters.discovery.labels import LabelNames

RECIPES = {
    "release-dir": ("root", "keep"),
    "package": ("manager", "package", "version", "sudo"),
    "command": ("deploy", "state"),
}
"""What belongs to one recipe alone."""


def entries(read: Reader[str]) -> Reader[dict[str, str]]:
    """A table of texts by names of any kind."""

    def every(value: object, spot: Spot) -> dict[str, str]:
        table = as_table(value, spot)
        return {key: read(each, spot / key) for key, each in table.items()}

    return every


def labels(*known: str) -> Reader[dict[str, str]]:
    """Which label says what."""
    return Section({each: Key(text(100)) for each in known})


command = sequence(argument, least=1, most=100)

SSH = Section(
    {
        "program": Key(text(500)),
        "options": Key(sequence(argument, most=50)),
        "connections_at_once": Key(whole(1, 16)),
        "sessions_at_once": Key(whole(1, 100)),
        "connect": Key(seconds("1s", "1m"), "connect_s"),
        "login": Key(seconds("1s", "5m"), "login_s"),
        "keep": Key(seconds("0s", "1d"), "keep_s"),
        "retry_login": Key(seconds("1s", "1d"), "retry_login_s"),
    }
)
REACH = Section(
    {
        "by": Key(choice("agent", "ssh")),
        "recipe": Key(choice(*RECIPES)),
        "root": Key(text(500)),
        "keep": Key(whole(1, 1_000)),
        "manager": Key(choice("apt", "dnf")),
        "package": Key(text(100)),
        "version": Key(text(200)),
        "sudo": Key(boolean),
        "deploy": Key(command),
        "state": Key(command),
        "restart": Key(command),
        "health": Key(command),
        "directory": Key(text(500)),
        "command_deadline": Key(seconds("1s", "1d"), "command_s"),
        "health_deadline": Key(seconds("1s", "1m"), "health_s"),
    }
)
ARTIFACT = Section(
    {
        "directory": Key(text(1_000)),
        "name": Key(text(500)),
        "url": Key(text(1_000)),
        "sha256_url": Key(text(1_000)),
        "sha256_file": Key(text(1_000)),
        "there": Key(boolean),
    }
)
HEALTH = Section(
    {
        "path": Key(page),
        "status": Key(whole(100, 599)),
        "contains": Key(text(300)),
        "tcp": Key(boolean),
        "healthy_for": Key(seconds("0s", "1h"), "healthy_for_s"),
    }
)
BALANCER = Section(
    {
        "haproxy": Key(name),
        "backend": Key(text(200)),
        "server": Key(text(200)),
        "drain": Key(seconds("0s", "1h"), "drain_s"),
        "staging": Key(boolean),
    }
)
HAPROXY = Section(
    {
        "sockets": Key(unique(sequence(text(300), least=1, most=50)), required=True),
        "timeout": Key(seconds("100ms", "30s"), "timeout_s"),
    }
)
LOGS = Section({"unit": Key(text(200)), "file": Key(text(500)), "command": Key(command)})

ACCESS = {
    "token_file": Key(file),
    "token_env": Key(name),
    "user": Key(text(200)),
    "password_file": Key(file),
    "password_env": Key(name),
    "headers": Key(entries(text(4_000))),
}
PROMETHEUS = Section(
    {
        "url": Key(url, required=True),
        **ACCESS,
        "ca_file": Key(file),
        "client_cert": Key(file),
        "client_key": Key(file),
        "params": Key(entries(text(1_000))),
        "get": Key(boolean),
        "proxy": Key(boolean),
        "host_label": Key(name),
        "host_is": Key(choice("address", "name")),
        "matchers": Key(matchers),
        "up": Key(series),
        "recorded": Key(boolean),
        "scrape": Key(seconds("100ms", "10m"), "scrape_s"),
        "every": Key(seconds("100ms", "1h"), "every_s"),
        "stale": Key(seconds("1s", "1h"), "stale_s"),
        "pace": Key(seconds("0s", "10s"), "pace_s"),
    }
)
DISCOVERY = Section(
    {
        "file": Key(file),
        "command": Key(command),
        "prometheus": Key(boolean),
        "every": Key(seconds("1s", "1d"), "every_s"),
        "deadline": Key(seconds("1s", "10m"), "deadline_s"),
        "matchers": Key(matchers),
        "labels": Key(
            labels(
                *(each for each in LabelNames.__dataclass_fields__ if each not in ("staging", "production")),
            )
        ),
        "staging": Key(sequence(text(100), most=20)),
        "production": Key(sequence(text(100), most=20)),
    }
)
ALERTMANAGER = Section(
    {
        "url": Key(url, required=True),
        **ACCESS,
        "matchers": Key(matchers),
        "labels": Key(labels(*(each for each in AlertLabels.__dataclass_fields__ if each != "summaries"))),
        "every": Key(seconds("1s", "1h"), "every_s"),
        "timeout": Key(number(0.1, 60), "timeout_s"),
    }
)
ALERTS = Section({"fail": Key(sequence(text(60), most=20))})
"""Severities that count against a canary."""
OF_A_SERVICE = {
    "reach": Key(REACH),
    "artifact": Key(ARTIFACT),
    "health": Key(HEALTH),
    "balancer": Key(BALANCER),
    "logs": Key(LOGS),
    "alerts": Key(ALERTS),
}
"""Said by the organisation, and by a service on top of it."""
