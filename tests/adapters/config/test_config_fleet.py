"""The reference of a fleet that is reached by ssh, measured by Prometheus and drained in HAProxy."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.config import Settings, outside
from adapters.config.schema import Section
from adapters.health.checks import HttpCheck, TcpCheck
from adapters.hosts.ssh.artifacts import Directory, Url
from adapters.hosts.ssh.logs import Argv, File, Journal
from adapters.hosts.ssh.recipes import Command, Package, ReleaseDir
from adapters.metrics.source import SignalKind

REFERENCE = Path(__file__).parents[3] / "docs" / "fleet.toml"
SHOWN: dict[tuple[str, ...], Section] = {
    ("ssh",): outside.SSH,
    ("prometheus",): outside.PROMETHEUS,
    ("alertmanager",): outside.ALERTMANAGER,
    ("haproxy", "edge"): outside.HAPROXY,
}


def text() -> str:
    return REFERENCE.read_text()


def named(section: str) -> set[str]:
    """Keys that the reference shows in a section of this name, of whatever service, set or commented out."""
    found, inside = set[str](), False
    for line in text().split("\n"):
        bare = line.removeprefix("#")
        if bare.startswith("[") and bare.endswith("]"):
            inside = bare.strip("[]").split(".")[-1] == section or bare.strip("[]").split(".")[0] == section
        elif inside and "=" in bare and not bare.startswith(" "):
            found.add(bare.split("=")[0].strip())
    return found


@pytest.mark.parametrize(
    ("name", "section"),
    [
        ("ssh", outside.SSH),
        ("prometheus", outside.PROMETHEUS),
        ("alertmanager", outside.ALERTMANAGER),
        ("haproxy", outside.HAPROXY),
        ("discovery", outside.DISCOVERY),
        ("reach", outside.REACH),
        ("artifact", outside.ARTIFACT),
        ("health", outside.HEALTH),
        ("balancer", outside.BALANCER),
        ("logs", outside.LOGS),
        ("alerts", outside.ALERTS),
    ],
)
def test_the_reference_shows_every_key(name: str, section: Section) -> None:
    assert set(section.keys) <= named(name)


def test_the_reference_is_a_configuration(read: Callable[[str], Settings]) -> None:
    settings = read(text())
    web, api, mail, legacy = (settings.means[name] for name in ("web", "api", "mail", "legacy"))
    assert web.way is not None
    assert web.way.recipe == ReleaseDir(
        "/srv/web",
        Directory("/srv/builds/web", "web-{revision}.tar.gz"),
        ("sudo", "-n", "systemctl", "restart", "{service}"),
        5,
    )
    assert web.seat is not None and (web.seat.backend, web.seat.drain_s) == ("be_web", 30.0)
    assert web.health is not None and web.health.check == HttpCheck("/healthz")
    assert web.log == Journal("web.service")
    assert settings.fleet.services["web"].rules.failing_alerts == {"critical"}
    assert api.way is not None and isinstance(api.way.recipe, ReleaseDir)
    assert isinstance(api.way.recipe.artifact, Url)
    assert mail.way is not None and isinstance(mail.way.recipe, Package)
    assert mail.way.recipe.version == "{revision}-1" and mail.way.recipe.restart == ()
    assert mail.health is not None and mail.health.check == TcpCheck()
    assert mail.log == File("/var/log/mail.log")
    assert legacy.way is not None and isinstance(legacy.way.recipe, Command)
    assert legacy.log == Argv(("/opt/legacy/tail-log",))
    assert settings.prometheus is not None and settings.fleet.look_s == 15.0
    assert [(query.name, query.kind) for query in settings.prometheus.queries] == [("queue", SignalKind.GAUGE)]
    assert [signal.name for signal in settings.signals] == ["requests", "errors", "latency"]
    host = settings.fleet.services["web"].hosts[0]
    assert host.ssh == "deploy@web-stg-1"


@pytest.mark.parametrize("section", ["ssh", "alertmanager", "haproxy.edge"])
def test_every_key_that_is_left_at_its_default_can_be_set(read: Callable[[str], Settings], section: str) -> None:
    head, block = text().split(f"\n[{section}]\n", 1)
    block, _, rest = block.partition("\n\n")
    both = {"token_env", "password_env"}
    lines = [line.removeprefix("#") if line[1:2].strip() else line for line in block.split("\n")]
    kept = [line for line in lines if line.split("=")[0].strip() not in both]
    read(f"{head}\n[{section}]\n" + "\n".join(kept) + f"\n\n{rest}")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('recipe = "package"', 'recipe = "packages"', 'service.mail.reach.recipe: expected "release-dir"'),
        ('manager = "apt" ', "", '"manager" is missing'),
        ('haproxy = "edge"', 'haproxy = "egde"', 'did you mean "edge"?'),
        ('deploy = ["/opt/legacy/install", "{revision}"]', "", '"deploy" is missing'),
        ('root = "/srv/{service}"', 'root = "srv"', "must begin with / or ~/"),
        ('sha256_url = "https://builds.example/api-{revision}.tar.gz.sha256"', "", "sha256"),
        ('preset = "prometheus"\n\n[signals.errors]', 'preset = "promtheus"\n\n[signals.errors]', "did you mean"),
        (
            'url = "https://prometheus.example/prefix"',
            'url = "https://me:secret@prometheus.example"',
            "read by everyone",
        ),
        (
            'file = "/etc/prometheus/targets.json"',
            'file = "/x"\nprometheus = true',
            "one of file, command and prometheus",
        ),
        ("tcp = true ", 'tcp = true\npath = "/x" ', "not both"),
        (
            '[service.mail.reach]\nrecipe = "package"',
            '[service.mail.reach]\nrecipe = "package"\nkeep = 4',
            "belongs to",
        ),
    ],
)
def test_what_does_not_go_together_is_told_at_its_key(
    errors: Callable[[str], list[str]], old: str, new: str, told: str
) -> None:
    assert old in text()
    found = errors(text().replace(old, new, 1))
    assert any(told in line for line in found), found


def test_severities_that_nobody_is_asked_about_are_told_at_their_key(errors: Callable[[str], list[str]]) -> None:
    head, block = text().split("\n[alertmanager]\n", 1)
    found = errors(f"{head}\n{block.partition(chr(10) * 2)[2]}")
    assert any("organisation.alerts.fail: there is no [alertmanager] to ask" in line for line in found), found


def test_the_reference_is_read_as_toml_with_everything_set_too() -> None:
    assert tomllib.loads(text())


def test_what_the_reference_says_of_haproxys_preset_tells_its_servers_apart(read: Callable[[str], Settings]) -> None:
    said = re.search(r"has (host_label = .*),\n# +(host_is = .*), (matchers = .*) and (up = .*)\)", text())
    assert said is not None
    plain = text().replace('host_label = "instance"', said[1]).replace('host_is = "address"', said[2])
    settings = read(plain.replace("#matchers = 'cluster=\"main\"'", said[3]).replace('#up = "up"', said[4]))
    assert settings.prometheus is not None
    assert settings.prometheus.host_is == "name"
    labels = settings.prometheus.labels
    assert (labels.host, labels.up) == ("server", "haproxy_server_status")
    assert [str(one.value) for one in (*labels.extra, *labels.up_matchers)] == ["be_web", "UP"]
