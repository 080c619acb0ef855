"""The whole program on real processes and real traffic, with things going wrong on the way.

All tests of this module share one run of `pithead demo --headless --until-settled --json`; they disturb it, and
the last one asks whether it has gone as written all the same.
"""

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.judge.verdict import Verdict
from pipeline.ports import ControllerLost
from pipeline.view import State
from tests.e2e.company import Company, agent, processes_of, sooner_config, started, until
from tests.e2e.terminal import PITHEAD, Terminal


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    folder = tmp_path_factory.mktemp("e2e")
    found = Company(folder, "--until-settled", "--json", "--config", str(sooner_config(folder)))
    try:
        found.wait_ready()
        yield found
    finally:
        found.close()


def test_the_viewers_socket_takes_no_command_whatever_the_front_end_thinks(company: Company) -> None:
    said = company.verb("--read-only", "pause", "profile")
    assert (said.returncode, said.stdout) == (1, "")
    assert "read-only" in said.stderr
    body = b'{"verb": "submit", "service": "profile", "request": "e2e-1", "revision": "r101"}'
    head = b"POST /v1/commands HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(10)
        line.connect(str(company.run_dir / "view.sock"))
        line.sendall(head + body)
        answer = line.makefile("rb").readline()
    assert answer.split()[1] == b"403"
    assert company.row("profile").state is State.STEADY


def test_a_bad_canary_is_rolled_back_although_the_room_was_killed(company: Company, tmp_path: Path) -> None:
    company.until("payments", State.BAKE)
    with Terminal([*PITHEAD, "--run-dir", str(company.run_dir)], tmp_path) as terminal:
        terminal.wait_for("Pithead", "payments", "r881")
        terminal.process.kill()
        assert terminal.wait_end() == -signal.SIGKILL
    row = company.until("payments", State.LOCK)
    assert "errors: " in row.why
    assert row.verdict is Verdict.FAIL
    assert {agent(host)["revision"] for host in company.hosts("payments")} == {"r880"}


def test_every_rule_says_the_same_in_the_shell_as_on_the_page(company: Company) -> None:
    company.until("orders", State.BLOCK)
    company.until("stock", State.LOCK)
    for service, word, code in (
        ("billing", "BLOCKED: payback: 720 s of 262.8 s = 2.74 -> 3 months", 2),
        ("orders", "BLOCKED: readiness: 4 rows of 26 missing", 2),
        # A mended build may go to its staging.
        ("stock", "WARN: load-test: lock-", 1),
    ):
        said = company.verb("gate", service)
        assert said.returncode == code, said
        assert said.stdout.startswith(f"{service} {word}")
    refused = company.verb("submit", "billing", "r73")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "payback: 720 s of 262.8 s = 2.74 -> 3 months" in refused.stderr
    listed = company.verb("readiness", "orders")
    assert listed.returncode == 1
    missing = [line.split()[0] for line in listed.stdout.splitlines() if " FAIL " in line or " UNKNOWN " in line]
    assert missing == ["PRF-2", "FLT-3", "CAT-2", "DOC-2"]


def test_a_controller_that_was_killed_in_mid_rollout_goes_on_and_deploys_no_host_twice(company: Company) -> None:
    row = company.until("checkout", State.ROLL)
    hosts = company.hosts("checkout")
    pid = company.health()["pid"]
    until(lambda: any(agent(host)["operation"].startswith(f"{row.release}.forward") for host in hosts), 30, "one told")
    done = {host: started(host) for host in hosts if (told := agent(host))["revision"] == "r1204" and told["healthy"]}
    assert done
    assert len(done) < len(hosts)
    token = company.health()["token"]
    os.kill(pid, signal.SIGKILL)

    def another() -> bool:
        try:
            return bool(company.health()["pid"] != pid)
        except ControllerLost:
            return False

    until(another, 30, "another controller")
    assert company.health()["token"] > token
    after = company.until("checkout", State.SETTLE, State.STEADY)
    assert after.production.revision in ("r1204", "r1203")
    told = [agent(host) for host in hosts]
    assert {each["revision"] for each in told} == {"r1204"}
    assert {each["operation"] for each in told} == {f"{row.release}.forward.{host.name}.1" for host in hosts}
    assert {host: started(host) for host in done} == done


def test_the_disturbed_demo_still_ends_as_it_was_written(company: Company) -> None:
    folder = company.run_dir.parent
    code = company.wait_end(within_s=180)
    told = json.loads(company.read())
    ends = {f"{each['service']} {each['revision']}": each["end"] for each in told["releases"]}
    assert ends == {
        "checkout r1204": "settled",
        "payments r881": "rolled back",
        "pricing r451": "waiting for an operator",
        "cart r512": "paused",
        "ledger r311": "held",
        "mail r331": "waiting for its traffic cycle",
        "stock r62": "rolled back",
        "billing r72": "refused",
        "orders r941": "held",
        "search r885": "rolled back",
        "media r208": "rolled back",
    }
    assert code == 0 and told["ok"] is True
    assert all(each["why"] and each["after_s"] > 0 for each in told["releases"])
    why = {each["service"]: each["why"] for each in told["releases"]}
    assert why["billing"].startswith("payback: 720 s of 262.8 s = 2.74 -> 3 months: 12m00s down since ")
    assert "of 29 answers as recorded; first different: GET /accounts/" in why["ledger"]
    assert "of 100,000 requests; still missing: " in why["mail"]
    assert "locked" in why["stock"] and "expected at most 400 ms (lock-" in why["stock"]
    assert " rows of 26 missing: " in why["orders"]
    assert not folder.exists()
    assert processes_of(str(folder)) == []
