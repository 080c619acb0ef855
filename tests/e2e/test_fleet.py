"""Releases over ssh, measured by Prometheus and drained in HAProxy: the real programs, all at once."""

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.judge.verdict import Verdict
from pipeline.view import State
from tests.e2e.company import until
from tests.e2e.fleet import HOSTS, PRODUCTION, RealFleet, real_fleet


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealFleet]:
    with real_fleet(tmp_path_factory.mktemp("fleet")) as fleet:
        yield fleet


def settled(fleet: RealFleet, revision: str) -> None:
    fleet.until(lambda row: row.state is State.STEADY and row.production.revision == revision, 120.0)
    assert fleet.revisions() == dict.fromkeys(HOSTS, revision)


def test_a_good_release_goes_through_staging_canary_and_waves_and_no_request_is_lost(fleet: RealFleet) -> None:
    before = fleet.traffic.answered
    done = fleet.verb("submit", "web", "r2", "--wait", "--timeout", "150s", "--json")
    assert done.returncode == 0, done.stdout + done.stderr + fleet.log()
    assert fleet.revisions() == dict.fromkeys(HOSTS, "r2")
    assert fleet.traffic.answered - before > 200
    assert not fleet.traffic.lost
    said = fleet.verb("history", "web", "--json", "--limit", "1000")
    actions = [json.loads(line)["action"] for line in said.stdout.splitlines()][::-1]
    first = [actions.index(action) for action in ("submit", "staging", "canary", "wave", "settled")]
    assert first == sorted(first)


def test_a_bad_canary_is_rolled_back_on_its_host_and_production_never_sees_it(fleet: RealFleet) -> None:
    running = fleet.revisions()
    done = fleet.verb("submit", "web", "r3", "--wait", "--timeout", "150s")
    assert done.returncode == 1, done.stdout + done.stderr + fleet.log()
    assert re.search(r"rolled back|rollback|restored", done.stdout)
    assert fleet.revisions() == running
    assert not fleet.traffic.lost
    told = fleet.verb("explain", "web").stdout
    assert "errors" in told and "FAIL" in told


def test_a_connection_that_is_killed_in_mid_deploy_loses_nothing(fleet: RealFleet) -> None:
    fleet.verb("submit", "web", "r4")

    def cut() -> bool:
        for entry in Path("/proc").iterdir():
            try:
                line = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
            except OSError:
                continue
            if line.startswith(b"ssh") and str(fleet.door.config).encode() in line:
                os.kill(int(entry.name), signal.SIGKILL)
                return True
        return False

    fleet.until(
        lambda row: (
            row.state not in (State.STEADY, State.GATES) and any(fleet.revision(host) == "r4" for host in PRODUCTION)
        )
    )
    until(cut, 20.0, "an ssh of ours to kill")
    settled(fleet, "r4")
    assert not fleet.traffic.lost


def test_a_balancer_that_does_not_answer_holds_the_release_and_not_for_longer_than_that(fleet: RealFleet) -> None:
    running = fleet.revisions()
    socket = Path(fleet.balancer.admin)
    away = socket.rename(socket.with_name("away.sock"))
    try:
        fleet.verb("submit", "web", "r6")
        row = fleet.until(lambda row: row.state is State.HOLD and "balancer" in row.why, 60.0)
        assert f"balancer {socket} does not answer for " in row.why
        assert "no such socket" in row.why
        assert {host: fleet.revision(host) for host in PRODUCTION} == {host: running[host] for host in PRODUCTION}
    finally:
        away.rename(socket)
    settled(fleet, "r6")
    assert not fleet.traffic.lost


def test_without_prometheus_a_canary_holds_and_goes_on_once_it_is_back(fleet: RealFleet) -> None:
    fleet.verb("submit", "web", "r5")
    fleet.until(lambda row: row.state is State.BAKE)
    fleet.prometheus.stop()
    try:
        row = fleet.until(lambda row: row.verdict is Verdict.NO_DATA, 30.0)
        canaries = [host for host in PRODUCTION if fleet.revision(host) == "r5"]
        assert len(canaries) == 1
        page = fleet.verb("status", "web").stdout
        assert "refused" in page or "no data" in page.lower(), page
        assert row.state is not State.ROLL
    finally:
        fleet.prometheus.start()
    settled(fleet, "r5")
    assert not fleet.traffic.lost
