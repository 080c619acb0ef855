"""The rules for staging, canary and observation: what breaks each, what keeps it, and of which line it is told."""
# ruff: noqa: E501 - one finding a line, with the whole sentence that it is told in

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.config import Settings, demo_config_path, load
from adapters.config.policy import RULES
from pipeline.staging import Level
from pithead.cli import main
from pithead.exits import Exit

Read = Callable[[str | bytes], Settings]
Found = Callable[..., list[str]]
FULL = """\
[organisation.staging]
mode = "full"
capacity = "50%"
image = "debian-12"
production_image = "debian-12"
"""
"""From line 22 on, in which nothing is found."""
PARTIAL = """\
[organisation.staging]
mode = "partial"
image = "debian-12"
production_image = "debian-12"
header = "X-Staging"
rate_share = "1%"
sink = "sink.example:25"
ports = [80]
production_ports = [8080]
[organisation.staging.limits]
errors.limit = "5%"
p99.limit = "400ms"
memory.limit = 1000000000
[organisation.staging.dependencies]
db.hard = true
[organisation.metrics.memory]
kind = "gauge"
of = "memory"
"""
"""Likewise."""
BILL = """\
[service.bill]
revision = "r1"
hosts = [
  { pool = "staging", datacenter = "fra1", name = "bill-stg-1", address = "10.1.0.1:80" },
  { datacenter = "fra1", name = "bill-[1-20]", address = "10.1.1.[1-20]:80" },
]
"""
CALLS = '[service.cart.staging.dependencies.db]\nstaging = "{}"\nproduction = "db.example:5432"\n'
OTHER, THEIRS = "db.staging.example:5432", "db.example:5432"
PROMETHEUS = '[prometheus]\nurl = "http://127.0.0.1:9090"\n'
ALERTS = '[alertmanager]\nurl = "http://127.0.0.1:9093"\n'
HOSTS = ('"cart-fra1-[1-4]", address = "10.0.1.[1-4]:80"', '"cart-iad1-[1-4]", address = "10.0.2.[1-4]:80"')
TWENTY = ('"cart-fra1-[1-10]", address = "10.0.1.[1-10]:80"', '"cart-iad1-[1-10]", address = "10.0.2.[1-10]:80"')


@pytest.fixture
def found(small: str, read: Read) -> Found:
    """What is found of the service cart, of twenty production hosts, as `config.toml:1 STG-01 error: why`."""

    def found(more: str, *, old: str = "", new: str = "") -> list[str]:
        text = small.replace(HOSTS[0], TWENTY[0]).replace(HOSTS[1], TWENTY[1])
        assert old in text + more
        findings = read((text + more).replace(old, new, 1)).fleet.services["cart"].findings
        assert all(each.mend for each in findings)
        return [f"{each.where.partition(':')[2]} {each.rule} {each.level}: {each.why}" for each in findings]

    return found


def test_a_rule_is_decided_here_or_says_where_it_is_kept() -> None:
    assert [rule.id for rule in RULES] == [
        f"{group}-{number:02}"
        for group, last in (("STG", 4), ("FUL", 4), ("PAR", 7), ("CAN", 8), ("OBS", 4))
        for number in range(1, last + 1)
    ]
    for rule in RULES:
        assert rule.says
        assert rule.find is not None or rule.kept, rule.id
    warnings = {rule.id for rule in RULES if rule.level is Level.WARNING}
    assert warnings == {"FUL-03", "FUL-04", "PAR-07", "CAN-07", "OBS-04"}


def test_what_is_said_to_keep_a_rule_is_there() -> None:
    root = Path(__file__).parents[3]
    for rule in RULES:
        for word in rule.kept.replace("(", " ").replace(")", " ").replace(",", " ").replace(":", " ").split():
            if word.startswith(("adapters.", "pipeline.")):
                path = root / word.replace(".", "/")
                inner = path.parent.with_suffix(".py")
                assert path.is_dir() or path.with_suffix(".py").exists() or inner.exists(), word


@pytest.mark.parametrize("whole", [FULL, PARTIAL])
def test_nothing_is_found_where_all_is_said(whole: str, found: Found) -> None:
    assert found(whole) == []


STORE = "store = true\n"
DAY = ", and a day of traffic is 1d: it may miss the night, the peak or what runs once a day"
HAPROXY = '[haproxy.edge]\nsockets = ["/s"]\n[service.cart.balancer]\nhaproxy = "edge"\nbackend = "b"\n'


@pytest.mark.parametrize(
    ("more", "told"),
    [
        # STG-02
        (HAPROXY + "staging = true", "32 STG-02 error: staging hosts sit in production's backend, where users reach them"),
        (HAPROXY, ""),
        # STG-04
        ("[service.cart.staging]\nimage = 'debian-13'", '28 STG-04 error: staging runs the image "debian-13", and production "debian-12"'),
        ("[service.cart.staging]\nkeys = ['A', 'B']\nproduction_keys = ['A', 'B']", ""),
        ("[service.cart.staging]\nkeys = ['A']\nproduction_keys = ['A', 'B', 'C']", "28 STG-04 error: configuration keys that staging lacks: B, C"),
        ("[service.cart.staging]\nkeys = ['A', 'B']\nproduction_keys = ['B']", "29 STG-04 error: configuration keys that production lacks: A"),
        # FUL-01
        (CALLS.format(OTHER), ""),
        (CALLS.format(THEIRS), "28 FUL-01 error: staging calls db at db.example:5432, which is production (production's db)"),
        (CALLS.format("DB.example:5432"), "28 FUL-01 error: staging calls db at DB.example:5432, which is production (production's db)"),
        (CALLS.format("10.0.1.3:80"), "28 FUL-01 error: staging calls db at 10.0.1.3:80, which is production (a host of cart)"),
        ("[service.cart.staging.dependencies.db]\nhard = true", "27 FUL-01 error: which copy of db staging calls is not stated"),
        # FUL-02, with FUL-01
        (CALLS.format(OTHER) + STORE + "access = 'write'\nconsumes = true", ""),
        (CALLS.format(THEIRS) + STORE, "27 FUL-02 error: staging may read production's data store db (production's db)"),
        (CALLS.format(THEIRS) + STORE + "access = 'write'", "27 FUL-02 error: staging may write to production's data store db (production's db)"),
        (CALLS.format(THEIRS) + "consumes = true", "27 FUL-02 error: staging takes messages from production's data store db (production's db)"),
        # FUL-04
        ("[service.cart.staging]\ncapacity = '5%'", ""),
        ("[service.cart.staging]\ncapacity = '5%'\n[service.cart.checks.k6]\nload = ['k6']", "28 FUL-04 warning: staging has 5% of production's capacity, and below 10% a load test (k6) says nothing about production"),
        # CAN-02
        ("[service.cart.canary]\nstratify = ['region']", "28 CAN-02 error: canaries are not drawn evenly from fra1, iad1"),
        ("[service.cart.canary]\nstratify = ['datacenter']", ""),
        # CAN-05
        ("[service.cart.metrics]\np99.judged = false\nerrors.critical = false", "27 CAN-05 error: nothing can roll a canary back: its one judged metric counts only together with another"),
        ("[service.cart.metrics]\np99.critical = false\nerrors.critical = false", ""),
        # CAN-06
        ("[service.cart.cycle]\nduration = '23h'", f"28 CAN-06 error: a canary leaves after 23h{DAY}"),
        ("[service.cart.cycle]\nduration = '23h'\nshorter_because = 'closed at night'", f"28 CAN-06 warning: a canary leaves after 23h{DAY}"),
        ("[organisation.cycle]\nshorter_because = 'closed at night'\n[service.cart.cycle]\nduration = '23h'", f"30 CAN-06 warning: a canary leaves after 23h{DAY}"),
        ("[service.cart.cycle]\nduration = '24h'", ""),
        ("[service.cart.cycle]\nrequests = 0", "28 CAN-06 error: a canary may leave without having served a request"),
        ("[organisation.cycle]\npeak_ratio = 0.4", "28 CAN-06 error: a canary may leave without having met the peak: 40% of the busiest rate will do"),
        ("[organisation.cycle]\npeak_ratio = 0.5", ""),
        ("[demo]\nday = '40s'\n[service.cart.cycle]\nduration = '40s'\n[service.cart.judge]\nwarmup = '1s'", f"30 CAN-06 error: a canary leaves after 40s{DAY}"),
        # OBS-01
        ("[signals.x]\nkind = 'gauge'\nseries = 'x{track=\"canary\"}'", "29 OBS-01 error: the query picks its series by the label track: staging, canary and production are not seen by the same"),
        ("[signals.x]\nkind = 'gauge'\nseries = 'x{instance=\"a\"}'", "29 OBS-01 error: the query picks its series by the label instance: staging, canary and production are not seen by the same"),
        ("[signals.x]\nkind = 'gauge'\nseries = 'x{env!=\"test\", code=\"5..\"}'", ""),
        (PROMETHEUS + "matchers = 'env=\"production\"'", "29 OBS-01 error: the query picks its series by the label env: staging, canary and production are not seen by the same"),
        (PROMETHEUS + "matchers = 'env!~\"prod.*\"'", "29 OBS-01 error: the query picks its series by the label env: staging, canary and production are not seen by the same"),
        (PROMETHEUS + "matchers = 'env=~\"prod|staging\", cluster=\"main\"'", ""),
        (PROMETHEUS + "matchers = 'track=~\"production|staging\"'", "29 OBS-01 error: the query picks its series by the label track: staging, canary and production are not seen by the same"),
        (PROMETHEUS + "up = 'up{pool=\"production\"}'", "29 OBS-01 error: the query picks its series by the label pool: staging, canary and production are not seen by the same"),
        (PROMETHEUS + "[signals.q]\nkind = 'gauge'\npromql = 'sum by (instance) (q{$hosts})'", ""),
        (PROMETHEUS + "[signals.q]\nkind = 'gauge'\npromql = 'sum by (instance) (q{instance!=\"\"})'", ""),
        (PROMETHEUS + "[signals.q]\nkind = 'gauge'\npromql = 'sum by (instance) (q{$hosts, track=\"production\"})'", "31 OBS-01 error: the query picks its series by the label track: staging, canary and production are not seen by the same"),
        (PROMETHEUS + "[signals.q]\nkind = 'gauge'\npromql = 'q{instance=~\"web.*\"}'", "31 OBS-01 error: the query picks its series by the label instance: staging, canary and production are not seen by the same"),
        (PROMETHEUS + "[signals.q]\nkind = 'gauge'\npromql = 'sum(q)'", "31 OBS-01 error: the query never names the label instance: what it finds cannot be told apart by host, and so by track"),
        (PROMETHEUS + "host_label = 'node'\n[signals.q]\nkind = 'gauge'\npromql = 'sum by (node) (q)'", ""),
        (PROMETHEUS + ALERTS + "labels.environment = 'tier'\n[signals.x]\nkind = 'gauge'\nseries = 'x{tier=\"prod\"}'", "34 OBS-01 error: the query picks its series by the label tier: staging, canary and production are not seen by the same"),
        # OBS-02
        (ALERTS, ""),
        (ALERTS + "labels.environment = 'track'", '29 OBS-02 error: the label "track" of alerts is to say environment and track at once'),
        (ALERTS + "labels.track = 'stage'", ""),
    ],
)  # fmt: skip
def test_a_full_staging(more: str, told: str, found: Found) -> None:
    seen = found(FULL + more)
    assert [each for each in seen if told[3:9] in each or not told] == ([told] if told else [])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('ports = [80]\n', "", "22 PAR-01 error: the ports of staging are not stated"),
        ('production_ports = [8080]\n', "", "22 PAR-01 error: the ports of production are not stated"),
        ('ports = [80]', "ports = [80, 8080]", "29 PAR-01 error: staging has ports of production: 8080"),
        ('production_ports = [8080]', "production_ports = [8080, 81]", ""),
        ('"10.0.0.1:80"', '"10.0.0.1:8080"', "17 PAR-01 error: staging host cart-stg-1 answers at port 8080, which is production's"),
        ('header =', 'methods = ["GET", "POST"]\nheader =', "26 PAR-02 error: staging may send POST to production's dependencies, which can change them"),
        ('header =', 'methods = ["GET", "HEAD"]\nheader =', ""),
        ('[organisation.staging.dependencies]\ndb.hard = true\n', "", "22 PAR-03 warning: which of production's dependencies staging calls is not stated, and so not what it may do there"),
        ('sink = "sink.example:25"\n', "", "22 PAR-04 error: where mail, payments and other effects of staging go is not stated"),
        ('errors.limit = "5%"\n', "", "31 PAR-05 error: nothing takes a bad build back from staging by an error ratio"),
        ('p99.limit = "400ms"\nmemory.limit = 1000000000\n', "", "31 PAR-05 error: nothing takes a bad build back from staging by latency, saturation (a gauge)"),
        ('header = "X-Staging"\n', "", "22 PAR-06 error: production cannot tell requests of staging from its own"),
        ('rate_share = "1%"\n', "", "22 PAR-07 warning: how much staging may ask of production's dependencies is not stated"),
        ('rate_share = "1%"', 'rate_share = "2%"', "27 PAR-07 warning: how much staging may ask of production's dependencies is 2.0% of their traffic"),
    ],
)  # fmt: skip
def test_a_partial_staging(old: str, new: str, told: str, found: Found) -> None:
    if old in ("ports = [80]\n", "ports = [80]"):
        old, new = f"\n{old}", f"\n{new}"
    assert found(PARTIAL, old=old, new=new) == ([told] if told else [])


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (STORE + "access = 'read'", ""),
        (STORE + "access = 'none'", ""),
        (STORE + "access = 'test-tenant'", ""),
        (STORE, "40 PAR-03 error: what staging may do with production's data store db is not stated"),
        ("access = 'write'", "43 PAR-03 error: staging may write to production's db"),
        ("consumes = true", "43 PAR-04 error: staging takes messages from production's db: production never sees them"),
        ("hard = true", ""),
    ],
)
def test_production_that_a_partial_staging_calls(more: str, told: str, found: Found) -> None:
    assert found(PARTIAL + CALLS.format(THEIRS) + more) == ([told] if told else [])


def test_a_mode_that_nobody_states_is_an_error_and_nothing_else_is_asked_of_it(found: Found) -> None:
    assert found("") == [
        "10 STG-01 error: nobody says whether staging is a full copy or talks to production",
        "10 STG-04 warning: images of staging and production are not both stated: nobody can tell whether they are the same",
    ]


def test_what_is_not_stated_is_warned_of(found: Found) -> None:
    assert found("[service.cart.staging]\nmode = 'full'\nimage = 'a'") == [
        "24 STG-04 warning: images of staging and production are not both stated: nobody can tell whether they are the same",
        "22 FUL-04 warning: how much of production's load staging could take is not stated",
    ]


@pytest.mark.parametrize(
    ("staging", "ssh", "told"),
    [
        ("10.0.1.1:81", "", "17 STG-02 error: staging host cart-stg-1 and production host cart-fra1-1 are one machine"),
        (
            "10.0.9.9:80",
            "web",
            "17 STG-02 error: staging host cart-stg-1 and production host cart-fra1-1 are one machine",
        ),
        ("10.0.9.9:80", "stg", ""),
    ],
)
def test_staging_and_production_share_no_machine(staging: str, ssh: str, told: str, small: str, read: Read) -> None:
    text = small.replace('"10.0.0.1:80"', f'"{staging}", ssh = "{ssh}"' if ssh else f'"{staging}"')
    if ssh:
        text = text.replace(HOSTS[0], '"cart-fra1-1", ssh = "web", address = "10.0.1.1:80"')
    findings = read(text + FULL).fleet.services["cart"].findings
    seen = [f"{each.where[12:]} {each.rule} {each.level}: {each.why}" for each in findings if each.rule == "STG-02"]
    assert seen == ([told] if told else [])


def test_several_on_this_machine_are_no_matter(small: str, read: Read) -> None:
    text = small.replace('10.0.0.1:80"', '127.0.0.1:81"').replace("10.0.1.[1-4]:80", "127.0.0.1:[82-85]")
    assert not [each for each in read(text + FULL).fleet.services["cart"].findings if each.rule == "STG-02"]


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (10, []),
        (
            9,
            [
                "CAN-01 warning: the canary is 1 of 9 production hosts, 11% of them: expected 5% to 10%; a sick machine and a bad release look alike"
            ],
        ),
        (
            2,
            [
                "CAN-01 warning: the canary is 1 of 2 production hosts, 50% of them: expected 5% to 10%; a sick machine and a bad release look alike; 1 host is left to hold it against, and how hosts differ is hardly known from so few"
            ],
        ),
        (
            1,
            [
                "CAN-05 error: no production host is left to hold the canary against",
            ],
        ),
    ],
)
def test_a_canary_of_few_hosts(count: int, told: list[str], small: str, read: Read) -> None:
    lines = [line for line in small.split("\n") if "cart-iad1" not in line]
    text = "\n".join(lines).replace(HOSTS[0], f'"cart-fra1-[1-{count}]", address = "10.0.1.[1-{count}]:80"')
    findings = read(text + FULL).fleet.services["cart"].findings
    assert [f"{each.rule} {each.level}: {each.why}" for each in findings] == told


def test_a_service_that_calls_another_calls_its_staging(found: Found) -> None:
    calls = '[service.cart.staging.dependencies.bill]\nstaging = "{}"'
    assert found(BILL + FULL + calls.format("10.1.0.1:80")) == []
    assert found(BILL + FULL + calls.format("10.1.1.7:80")) == [
        "34 FUL-01 error: staging calls bill at 10.1.1.7:80, which is production (a host of bill)"
    ]


def test_hosts_that_discovery_finds_are_not_asked_for(small: str, read: Read) -> None:
    text = small[: small.index("hosts = [")] + "[discovery.d]\nfile = '/hosts.json'\n"
    assert read(text + FULL).fleet.services["cart"].findings == ()


def test_no_demo_service_is_held_by_its_configuration() -> None:
    for service in load(demo_config_path()).fleet.services.values():
        assert [each for each in service.findings if each.level is Level.ERROR] == [], service.name


def test_check_tells_what_holds_releases_with_its_line_once_and_fails(
    small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(small + BILL)
    path.chmod(0o600)
    assert main(["check", str(path)]) == Exit.USAGE
    said = capsys.readouterr()
    mend = 'say mode = "full" or "partial" in [organisation.staging], or in the service\'s own'
    why = "nobody says whether staging is a full copy or talks to production"
    assert said.err == f"pithead: {path}:10: STG-01: {why}: {mend} (cart, bill)\n"
    assert said.out.startswith(f"{path}: a controller starts with it, but holds releases until the errors are mended\n")
    assert f"warning: {path}:10: STG-04: " in said.out
    assert main(["check", "--json", str(path)]) == Exit.USAGE
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["services"], [each["key"] for each in told["errors"]]) == (False, 2, ["STG-01"])
    assert told["findings"][0] == {
        "rule": "STG-01",
        "level": "error",
        "why": why,
        "mend": mend,
        "where": "config.toml:10",
        "services": ["cart", "bill"],
    }
    path.write_text(small + BILL + FULL)
    assert main(["check", str(path)]) == Exit.DONE
    assert capsys.readouterr().err == ""


def test_check_tells_of_a_recording_that_is_not_there(
    small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(small + FULL + '[organisation.checks.replay]\nreplay = "cart.har"\n')
    path.chmod(0o600)
    assert main(["check", str(path)]) == Exit.USAGE
    assert capsys.readouterr().err.startswith(f"pithead: {path}:28: organisation.checks.replay.replay: ")
