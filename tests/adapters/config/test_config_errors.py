"""Bad configurations: what is told, of which line and key, and that nothing is taken."""
# ruff: noqa: E501 - one mistake a line, with the whole sentence that it is told in

import os
import random
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.config import ConfigErrors, Settings, demo_config_path, load
from adapters.config.build import build
from adapters.config.source import LARGEST_BYTES, parsed

Errors = Callable[[str | bytes], list[str]]
Read = Callable[[str | bytes], Settings]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("[service.cart.canary]\nshare = 7", "23: service.cart.canary.share: expected 0.05 to 0.1, got 7"),
        ("[service.cart.canary]\nsahre = 0.1", '23: service.cart.canary.sahre: unknown key: did you mean "share"?'),
        ("[organization]\ntick = 1", '22: organization: unknown key: did you mean "organisation"?'),
        ("[service.cart.deploy]\nat_once = 0", "23: service.cart.deploy.at_once: expected a whole number from 1 to 1,000, got 0"),
        ("[service.cart.deploy]\nat_once = true", "23: service.cart.deploy.at_once: expected a whole number from 1 to 1,000, got true"),
        ("[service.cart.cycle]\npeak_ratio = nan", '23: service.cart.cycle.peak_ratio: expected a ratio such as 0.1 or "10%", got nan'),
        ("[service.cart.cycle]\nduration = inf", '23: service.cart.cycle.duration: expected a duration such as "40s", "10m" or "1h30m", got inf'),
        ('[service.cart.deploy]\ndeadline = "2d"', '23: service.cart.deploy.deadline: expected 1s to 1d, got "2d"'),
        ("[service.cart.budget]\nobjective = 99.9", '23: service.cart.budget.objective: expected a text such as "99.9%", since a number is not exact, got 99.9'),
        ('[service.cart.budget]\nbad = "latency"', '23: service.cart.budget.bad: expected a counter of [signals], but "latency" is a histogram'),
        ('[service.cart.budget]\ntotal = "reqests"', '23: service.cart.budget.total: expected a counter of [signals], got "reqests": did you mean "requests"?'),
        ('[service.cart.metrics.p99]\nof = "latencies"', '23: service.cart.metrics.p99.of: expected a histogram of [signals], got "latencies": did you mean "latency"?'),
        ('[service.cart.metrics.new]\nof = "memory"', '22: service.cart.metrics.new: "kind" is missing: expected "ratio", "quantile", "share", "rate", "gauge", "restarts" or "expression"'),
        ('[service.cart.metrics.new]\nkind = "gauge"', '22: service.cart.metrics.new: "of" is missing: a metric of kind gauge is worked out from of'),
        ('[service.cart.metrics.p99]\nbad = "errors"', "23: service.cart.metrics.p99.bad: does not belong here: a metric of kind quantile is worked out from of"),
        ("[service.cart.metrics.errors]\nq = 0.5", "23: service.cart.metrics.errors.q: does not belong here: a metric of kind ratio is worked out from bad and total"),
        ("[service.cart.metrics.p99]\nover = '250ms'", "23: service.cart.metrics.p99.over: does not belong here: a metric of kind quantile is worked out from of"),
        ("[service.cart.metrics.p99]\nexpression = 'memory'", "23: service.cart.metrics.p99.expression: does not belong here: a metric of kind quantile is worked out from of"),
        ("[service.cart.metrics.new]\nkind = 'restarts'\nof = 'requests'", "24: service.cart.metrics.new.of: does not belong here: a metric of kind restarts is worked out from no signal"),
        ("[service.cart.metrics.new]\nkind = 'share'\nof = 'latency'", '22: service.cart.metrics.new: "over" is missing: a metric of kind share is worked out from of and over'),
        ("[service.cart.metrics.new]\nkind = 'share'\nof = 'memory'\nover = 1", '24: service.cart.metrics.new.of: expected a histogram of [signals], but "memory" is a gauge'),
        ("[service.cart.metrics.new]\nkind = 'share'\nof = 'latency'\nover = 1\ntolerance = 2", "26: service.cart.metrics.new.tolerance: expected 0 to 1 for a share, got 2"),
        ("[service.cart.metrics.new]\nkind = 'gauge'\nof = 'latency'", '24: service.cart.metrics.new.of: expected a counter or gauge of [signals], but "latency" is a histogram'),
        ("[service.cart.metrics.new]\nkind = 'expression'", '22: service.cart.metrics.new: "expression" is missing: a metric of kind expression is worked out from expression'),
        ("[service.cart.metrics.new]\nkind = 'expression'\nexpression = 'memory +'", '24: service.cart.metrics.new.expression: expected a number, a signal or "(", got the end'),
        ("[service.cart.metrics.new]\nkind = 'expression'\nexpression = 'memry + 1'", '24: service.cart.metrics.new.expression: expected a counter or gauge of [signals], got "memry": did you mean "memory"?'),
        ("[service.cart.metrics.new]\nkind = 'expression'\nexpression = 'latency / 2'", '24: service.cart.metrics.new.expression: expected a counter or gauge of [signals], but "latency" is a histogram'),
        ("[service.cart.metrics.new]\nkind = 'expression'\nexpression = \"__import__('os').system('x')\"", '24: service.cart.metrics.new.expression: expected min or max before "(", got "__import__" at character 1'),
        ("[service.cart.metrics.p99]\ncritical = 1", "23: service.cart.metrics.p99.critical: expected true or false, got 1"),
        ("[service.cart.metrics.p99]\nwith_age = 'yes'", '23: service.cart.metrics.p99.with_age: expected true or false, got "yes"'),
        ("[service.cart.judge]\ncontrol = 'canary'", '23: service.cart.judge.control: expected "production" or "baseline", got "canary"'),
        ("[service.cart.judge]\nfalse_rollback = 0", "23: service.cart.judge.false_rollback: expected 0.0001 to 0.2, got 0"),
        ("[service.cart.judge]\nfalse_rollback = '21%'", '23: service.cart.judge.false_rollback: expected 0.0001 to 0.2, got "21%"'),
        ("[service.cart.judge]\nfalse_rollback = nan", '23: service.cart.judge.false_rollback: expected a ratio such as 0.1 or "10%", got nan'),
        ("[service.cart.judge]\nguard_burn = -1", "23: service.cart.judge.guard_burn: expected a number from 0 to 10000, got -1"),
        ("[service.cart.judge]\nguard_burn = inf", "23: service.cart.judge.guard_burn: expected a number from 0 to 10000, got inf"),
        ("[service.cart.judge]\nfail_looks = 2", "23: service.cart.judge.fail_looks: unknown key: it is gone: the judge now acts at its first FAIL; false_rollback bounds how often that is wrong"),
        ("[service.cart.metrics]\np99.judged = false\nerrors.judged = false", "15: service.cart: expected at least one judged metric here or in [organisation.metrics]: no canary could pass"),
        ("[service.cart.checks.load]\ndeadline = \"5s\"", '22: service.cart.checks.load: expected "path" (a probe), "command", "replay", "load" or "manual"'),
        ("[service.cart.checks.load]\npath = \"/\"\ncommand = [\"a\"]", '22: service.cart.checks.load: expected "path" (a probe), "command", "replay", "load" or "manual", not path and command together'),
        ("[service.cart.checks.load]\ncommand = [\"a\"]\nstatus = 200", "24: service.cart.checks.load.status: does not belong to a command, only to a probe"),
        ("[service.cart.checks.load]\ncommand = []", "23: service.cart.checks.load.command: expected 1 to 100 elements, got 0"),
        ("[service.cart.checks.load]\ncommand = [\n'a',\n3,\n]", "25: service.cart.checks.load.command[1]: expected a text, one for each argument, got 3"),
        ("[service.cart]\nx = 1", "22:14: cannot declare service.cart twice"),
        ("[service.cart.promotions]\nwaves = 'auto'", '23: service.cart.promotions.waves: expected "automatic" or "operator", got "auto"'),
        ("[service.'c\\u0061rt']\nx = 1", "22: service.\"c\\u0061rt\": expected a name of letters, digits, '.', '_' and '-' (1 to 100, no leading dash)"),
        ("[[service.cart.freeze]]\nowner='a'\nreason='b'\nstart=2026-01-01T00:00:00\nend=2026-01-02T00:00:00Z", "25: service.cart.freeze[0].start: expected a date and time with its offset, such as 2026-12-24T18:00:00+01:00, got 2026-01-01T00:00:00"),
        ("[[service.cart.freeze]]\nowner='a'\nreason='b'\nstart=2026-01-02T00:00:00Z\nend=2026-01-01T00:00:00Z", "26: service.cart.freeze[0].end: expected a time after the start"),
        ("[[service.cart.freeze]]\nowner='a'\nstart=2026-01-02T00:00:00Z\nend=2026-01-03T00:00:00Z", '22: service.cart.freeze[0]: "reason" is missing'),
        ("[service.cart.judge]\nstale = '5s'", "23: service.cart.judge.stale: expected more than the tick of 5s, got 5s: no reading would do"),
        ("[controller]\nrun_dir = 'run'", '23: controller.run_dir: expected the path of a folder from "/" or "~/" on, of at most 80 characters, got "run"'),
        ("[ui]\ntimezone = '../../etc/passwd'", '23: ui.timezone: expected a time zone such as "UTC" or "Europe/Berlin", got "../../etc/passwd"'),
        ("[ui]\ncolor = 3", '23: ui.color: expected "auto", "truecolor", "256", "16" or "never", got 3'),
        ("[signals.x]\nkind = 'gauge'\nseries = 'a{b'", "24: signals.x.series: expected {label=\"value\", ...} after a, got '{b'"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_its_key_and_what_was_expected(
    more: str, told: str, small: str, errors: Errors
) -> None:
    assert errors(small + more) == [f"config.toml:{told}"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('revision = "r511"', 'revision = "--force"', "16: service.cart.revision: expected a name of letters, digits, '.', '_' and '-' (1 to 100, no leading dash), got \"--force\""),
        ('revision = "r511"', "", '15: service.cart: "revision" is missing'),
        ('"10.0.1.[1-4]:80"', '"10.0.1.[1-3]:80"', "19: service.cart.hosts[1]: expected as many names as addresses, got 4 and 3"),
        ('"10.0.1.[1-4]:80"', '"10.0.1.[4-1]:80"', "19: service.cart.hosts[1].address: expected a range that goes up, not [4-1]"),
        ('"10.0.1.[1-4]:80"', '"10.0.1.[1-4]"', '19: service.cart.hosts[1].address: expected host:port, or several such as 10.1.0.[11-14]:7077, got "10.0.1.1"'),
        ('"10.0.2.[1-4]:80"', '"10.0.1.[4-7]:80"', "20: service.cart.hosts[2].address: 10.0.1.4:80 is taken: it stands already in line 19"),
        ('"cart-iad1-[1-4]"', '"cart-fra1-[4-7]"', "20: service.cart.hosts[2].name: cart-fra1-4 is taken: it stands already in line 19"),
        ('datacenter = "iad1", n', 'datacenter = "iad2", n', '20: service.cart.hosts[2].datacenter: expected the name of a [datacenter.NAME], got "iad2": did you mean "iad1"?'),
        ('pool = "staging", ', "", '17: service.cart.hosts: expected at least one host with pool = "staging": every release begins there'),
        ('pool = "staging"', 'pool = "stage"', '18: service.cart.hosts[0].pool: expected "staging" or "production", got "stage"'),
        ('{ path = "/healthz" }', '"/healthz"', '14: organisation.checks.healthz: expected a table, got "/healthz"'),
        ('{ path = "/healthz" }', '{ path = "healthz" }', '14: organisation.checks.healthz.path: expected a path such as "/healthz", got "healthz"'),
        ("[organisation.checks]", 'waves = ["100%"]\n[organisation.checks]', "13: organisation.metrics.waves: expected a table, got an array"),
        ('requests = { kind = "counter"', 'requests = { kind = "count"', '6: signals.requests.kind: expected "counter", "gauge" or "histogram", got "count"'),
        ('[service.cart]\n', '[service.cart]\nteam = "a\\u001b[31mb"\n', '16: service.cart.team: expected one line of at most 40 characters, none of them a control character, got "a\ufffd[31mb"'),
        ('[service.cart]\n', '[service.cart]\nwaves = ["fra2", "100%"]\n', '16: service.cart.waves[0]: expected a datacenter of this service\'s hosts, got "fra2": did you mean "fra1"?'),
        ('[service.cart]\n', '[service.cart]\nwaves = ["region:eu"]\n', '16: service.cart.waves[0]: expected "100%" as the last wave, got "region:eu"'),
        ('[service.cart]\n', '[service.cart]\nwaves = ["50%", "25%", "100%"]\n', "16: service.cart.waves[1]: expected more than the 50% of an earlier wave, got 25%"),
        ('[service.cart]\n', '[service.cart]\nwaves = [\n"25%",\n"all",\n"planet:x", "100%"]\n', '19: service.cart.waves[2]: expected a wave such as "fra1", "region:eu 50%" or "100%"; places are datacenter, region, country, provider, got "planet:x"'),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_told_where_it_stands(
    old: str, new: str, told: str, small: str, errors: Errors
) -> None:
    assert old in small
    assert errors(small.replace(old, new, 1)) == [f"config.toml:{told}"]


def test_all_mistakes_come_at_once_and_by_line(small: str, errors: Errors) -> None:
    text = small.replace("r511", "r 511").replace('region = "eu"', "region = 1").replace("cart-stg-1", "cart-fra1-1")
    told = errors(text + "[service.cart.canary]\nshare = 7\nshore = 7\n[service.search]\nhosts = []\n[cellar]\n")
    assert [line.split(": ")[0] for line in told] == [f"config.toml:{n}" for n in (2, 16, 19, 23, 24, 25, 26, 26, 27)]
    assert [line.split(": ")[1] for line in told] == [
        "datacenter.fra1.region",
        "service.cart.revision",
        "service.cart.hosts[1].name",
        "service.cart.canary.share",
        "service.cart.canary.shore",
        "service.search",
        "service.search.hosts",
        "service.search.hosts",
        "cellar",
    ]


def test_a_file_that_is_wrong_all_over_is_told_in_a_hundred_lines(small: str, errors: Errors) -> None:
    told = errors("".join(f"k{n} = 1\n" for n in range(500)) + small)
    assert len(told) == 101
    assert told[-1].endswith("and 400 more errors")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", 'config.toml:1: "service" is missing'),
        (b"[service]\n", "config.toml:1: service: expected at least one [service.NAME]"),
        (b"a = 1\nb = \xff\n", "config.toml:2: byte 0xff is not UTF-8: save the file as UTF-8"),
        (b"\xef\xbb\xbfa = 1", "config.toml: begins with a byte order mark: save it as UTF-8 without one"),
        (b"a = 1\nb = = 2\n", "config.toml:2:5: invalid value"),
        (b"a = 1\nb 2\n", "config.toml:2:3: expected '=' after a key in a key/value pair"),
        (b'a = 1\nb = """x\ny\n', "config.toml:2:5: unterminated string"),
        (b"a = 1\na = 2\n", "config.toml:2:6: cannot overwrite a value"),
        (b"a = 1\n\x00\n", "config.toml:2:1: invalid statement"),
        pytest.param(b"a = " + b"9" * 5_000, "config.toml:1: exceeds the limit (4300 digits)", id="digits"),
        pytest.param(b"#" * (LARGEST_BYTES + 1), "config.toml: is larger than 1024 KiB: name many hosts by ranges such as cart-[1-20]", id="large"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_configuration_is_refused_in_words(text: bytes, told: str, errors: Errors) -> None:
    assert errors(text)[0].startswith(told)


def test_a_file_that_anyone_may_write_is_refused(small: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(small)
    path.chmod(0o666)
    with pytest.raises(ConfigErrors, match="may be written by anyone"):
        load(path)


def test_what_is_no_file_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
    for name in ("missing", "pipe", "socket", "."):
        with pytest.raises(ConfigErrors) as refused:
            load(tmp_path / name)
        assert refused.value.errors[0].line == 0


def test_hostile_names_are_told_harmlessly(small: str, errors: Errors) -> None:
    told = errors(small + '["\\u001b]0;x\\u0007[/]"]\n[service."\\u202e"]\n')
    assert len(told) == 2
    assert all(line.isprintable() for line in told)


def test_hostile_names_stay_harmless_where_they_are_proposed(small: str, errors: Errors) -> None:
    text = small.replace("[signals]\n", '[signals]\n"\\u001b[2Jmemory" = 1\n"\\u202e" = 1\n')
    for name in ("2Jmemory", "zzz"):
        told = errors(text + f"[service.cart.metrics.new]\nkind = 'gauge'\nof = '{name}'\n")
        assert len(told) == 3
        assert all(line.isprintable() for line in told)


def test_one_mistake_in_a_signal_or_datacenter_is_not_told_again_where_they_are_used(
    small: str, errors: Errors
) -> None:
    text = small.replace('"histogram"', '"histo"').replace('region = "us"', "region = 7")
    assert len(errors(text + '[organisation]\nwaves = ["region:us", "100%"]\n')) == 2
    assert len(errors(small.replace('"ratio"', '"ratios"').replace('"quantile"', '"quantiles"'))) == 2


@given(st.data())
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
def test_a_damaged_file_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    lines = demo_config_path().read_text().splitlines(keepends=True)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(lines) - 1))
        value = data.draw(st.sampled_from(["0", "-1", "nan", "true", '"x"', "[]", "{}", "[[1]]", "2020-01-01", '"0%"']))
        key, equals, _ = lines[place].partition("=")
        lines[place] = f"{key}= {value}\n" if equals and not key.startswith("#") else ""
    try:
        document, problems = parsed("".join(lines), "f")
        build(document, Path("f"), problems)
    except ConfigErrors as refused:
        assert all(error.line >= 1 for error in refused.errors)


@pytest.mark.parametrize("digits", ["9" * 4_000, "0x" + "f" * 9_000])
def test_numbers_beyond_all_measure_are_refused(digits: str, small: str, errors: Errors) -> None:
    told = errors(small + f"[service.cart.canary]\nshare = {digits}\n[service.cart.deploy]\nat_once = {digits}\n")
    assert len(told) == 2
    assert all(line.endswith("got a very large number") for line in told)


def test_sections_that_are_no_tables_are_refused_wherever_they_stand(small: str) -> None:
    rng = random.Random(1)
    for section in ("controller", "ui", "demo", "datacenter", "signals", "organisation", "service"):
        document, problems = parsed(small, "f")
        broken = {**document, section: rng.choice([3, "x", [], [{}], True])}
        with pytest.raises(ConfigErrors):
            build(broken, Path("f"), problems)
