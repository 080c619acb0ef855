"""Load tests: programs of the company's own, and the figures that they print."""

import json
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.checks.load import Figures, faults, figures, run_load
from adapters.checks.runner import HostChecks
from pipeline.checks import CheckKind, CheckRule, LoadRule
from tests.adapters.checks.replay_support import LONG_S, service

CART = service(("127.0.0.1:1",))
FLAT = '{"rps": 1250.5, "p99_s": 0.18, "errors": 0.002}'
ALL = LoadRule(1000.0, 0.2, 0.01)


def load(output: str, status: int = 0, rule: LoadRule | None = None) -> CheckRule:
    code = "import sys; sys.stdout.write(sys.argv[1]); sys.exit(int(sys.argv[2]))"
    command = (sys.executable, "-c", code, output, str(status))
    return CheckRule("load", CheckKind.LOAD, command=command, deadline_s=LONG_S, load=rule)


async def test_figures_within_the_limits_pass_and_the_rate_is_kept(clock) -> None:
    checks = HostChecks(clock)
    result = await checks.run(load(f"warming up\n{FLAT}\n", rule=ALL), CART, "r2")
    assert (result.passed, result.detail) == (True, "1250.5/s, p99 180 ms, 0.2 % errors")
    assert result.peak_rps == 1250.5
    await checks.close()


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (LoadRule(least_rps=2000.0), "1250.5/s, expected at least 2000/s"),
        (LoadRule(most_p99_s=0.1), "p99 180 ms, expected at most 100 ms"),
        (LoadRule(most_errors=0.001), "0.2 % errors, expected at most 0.1 %"),
        (LoadRule(2000.0, 0.1), "1250.5/s, expected at least 2000/s; p99 180 ms, expected at most 100 ms"),
    ],
)
async def test_figures_beyond_a_limit_fail(rule: LoadRule, said: str) -> None:
    found = await run_load(load(FLAT, rule=rule), CART, "r2")
    assert (found.passed, found.detail, found.peak_rps) == (False, said, 1250.5)
    assert found.output == (FLAT,)


async def test_without_limits_and_json_the_exit_code_decides() -> None:
    good = await run_load(load("done\n"), CART, "r2")
    assert (good.passed, good.detail, good.peak_rps) == (True, "exit 0: done", None)
    bad = await run_load(load("half\nfailed\n", 3), CART, "r2")
    assert (bad.passed, bad.detail, bad.output) == (False, "exit 3: failed", ("half", "failed"))


async def test_a_failed_exit_fails_whatever_the_figures_are() -> None:
    found = await run_load(load(FLAT, 99, ALL), CART, "r2")
    assert (found.passed, found.detail) == (False, "exit 99; 1250.5/s, p99 180 ms, 0.2 % errors")


async def test_a_limit_without_its_figure_is_no_pass() -> None:
    found = await run_load(load("done\n", rule=LoadRule(least_rps=1.0)), CART, "r2")
    assert not found.passed
    assert found.detail.startswith("no JSON in its output to hold its limits against: let it print")
    found = await run_load(load('{"rps": 5}\n', rule=ALL), CART, "r2")
    assert not found.passed
    assert "no p99 in its JSON" in found.detail
    assert "no errors in its JSON, expected at most 1 %" in found.detail


async def test_a_load_test_is_ended_at_its_deadline() -> None:
    rule = replace(load(""), command=(sys.executable, "-c", "import signal; signal.pause()"), deadline_s=0.2)
    found = await run_load(rule, CART, "r2")
    assert (found.passed, found.detail) == (False, "not done in 0.2 s, ended")


K6 = {"http_req_duration": {"p(95)": 120.0, "p(99)": 180.0}, "http_reqs": {"count": 9, "rate": 1250.5}}
K6_NEW = {name: {"type": "x", "values": values} for name, values in K6.items()}
LOCUST = [
    {
        "num_requests": 990,
        "num_failures": 0,
        "start_time": 10.0,
        "last_request_timestamp": 18.0,
        "response_times": {"80": 985, "200": 5},
    },
    {
        "num_requests": 10,
        "num_failures": 2,
        "start_time": 12.0,
        "last_request_timestamp": 20.0,
        "response_times": {"100": 6, "300.0": 4},
    },
]
FORMS = [
    ({"metrics": K6 | {"http_req_failed": {"passes": 1, "fails": 9, "value": 0.002}}}, Figures(1250.5, 0.18, 0.002)),
    ({"metrics": K6_NEW | {"http_req_failed": {"values": {"rate": 0.002}}}}, Figures(1250.5, 0.18, 0.002)),
    ({"metrics": {"http_reqs": {"rate": 5}}}, Figures(5.0)),
    (LOCUST, Figures(100.0, 0.1, 0.002)),
    ({"rps": 5, "p99_s": None, "errors": 1.5, "other": []}, Figures(5.0)),
    ({"rps": True, "p99_s": "1", "errors": -1}, None),
    ({}, None),
    ([], Figures(0.0)),
    ([1], None),
    ([{"num_requests": 0, "num_failures": 0}], Figures(0.0)),
    ({"metrics": {"http_reqs": 5}}, None),
]


@pytest.mark.parametrize("indent", [None, 4])
@pytest.mark.parametrize(("value", "found"), FORMS, ids=range(len(FORMS)))
def test_each_tools_form_is_read_on_one_line_and_on_many(
    value: object, found: Figures | None, indent: int | None
) -> None:
    printed = json.dumps(value, indent=indent)
    assert figures(f"running\n{printed}\n\nbye\n".encode()) == found


def test_the_last_figures_count() -> None:
    assert figures(b'{"rps": 1}\n{"rps": 2}\n{"level": "info"}\n{broken}\n') == Figures(2.0)


def test_numbers_that_are_none_are_not_known() -> None:
    for hostile in (b'{"rps": NaN}', b'{"rps": 1e999}', b'{"rps": ' + b"9" * 400 + b"}", b"[" * 9_999 + b"]"):
        assert figures(hostile) is None


@given(st.binary(max_size=200) | st.text(alphabet='{}[]":,1 rps\n', max_size=60).map(str.encode))
def test_any_output_has_figures_or_none(output: bytes) -> None:
    found = figures(output)
    assert found is None or isinstance(found, Figures)


@pytest.mark.parametrize(
    "printed", ['{"rps": 0, "p99_s": 0, "errors": 0}', '{"metrics": {"http_reqs": {"rate": 0}}}', "[]"]
)
@pytest.mark.parametrize("rule", [LoadRule(), LoadRule(most_p99_s=1.0), LoadRule(most_errors=0.5)])
async def test_where_nothing_was_answered_no_limit_is_kept(printed: str, rule: LoadRule) -> None:
    found = await run_load(load(printed, rule=rule), CART, "r2")
    assert (found.passed, found.detail) == (False, "no request was answered")


@given(st.tuples(*[st.none() | st.floats(0.01, 10) for _ in range(6)]))
def test_a_limit_is_kept_only_by_a_known_figure(numbers: tuple[float | None, ...]) -> None:
    least, p99, errors, *got = numbers
    its = Figures(*got)
    kept = (
        (least is None or (its.rps is not None and its.rps >= least)),
        (p99 is None or (its.p99_s is not None and its.p99_s <= p99)),
        (errors is None or (its.errors is not None and its.errors <= errors)),
    )
    assert len(faults(LoadRule(least, p99, errors), its)) == kept.count(False)
