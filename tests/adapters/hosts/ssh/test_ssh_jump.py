"""Hosts behind a jump host: a second sshd, and a ProxyJump in the user's own configuration of ssh."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.hosts.ssh import File, SshLogs
from adapters.hosts.ssh.faults import Kind, SshFault
from adapters.hosts.ssh.process import Feed
from pipeline.events import Result
from pipeline.model import Host
from pipeline.observed import HostFault, HostState
from tests.neighbours.sshd import Sshd, sshd

LONG_S = 20.0
HELLO = Feed(b"echo hello\n")


@dataclass
class Jump:
    itself: Sshd

    def cut(self) -> None:
        """It goes down with all that runs through it."""
        children = Path(f"/proc/{self.itself.pid}/task/{self.itself.pid}/children").read_text().split()
        self.itself.stop()
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)


@pytest.fixture
def jump(server: Sshd) -> Iterator[Jump]:
    """Through it go all `behind-NAME`; who it is and who we are to it is in the configuration alone."""
    folder = Path(tempfile.mkdtemp(prefix="pithead-jump-"))
    before = server.config.read_text()
    try:
        with sshd(folder, {"jump": ()}) as itself:
            key, known = f"IdentityFile {folder / 'login_key'}", f"UserKnownHostsFile {folder / 'known_hosts'}"
            trusted = (key, known, "GlobalKnownHostsFile none", "HostKeyAlias pithead-test", "IdentitiesOnly yes")
            server.host("bastion", itself.ports["jump"], *trusted)
            server.host("behind-*", server.ports["plain"], "ProxyJump bastion")
            yield Jump(itself)
    finally:
        server.config.write_text(before)
        shutil.rmtree(folder, ignore_errors=True)


def on_its_way(server: Sshd) -> list[bytes]:
    """Programs of ssh that lead to the jump host."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            line = file.read_bytes()
            found += [line] if str(server.config).encode() in line and b"bastion" in line else []
    return found


async def seen(site, hosts: list[Host]) -> list[HostState | HostFault]:
    return list((await site.hosts.states(hosts, LONG_S)).values())


async def test_state_deploy_and_logs_go_through_a_jump_host_by_one_connection(site, jump: Jump) -> None:
    host = site.host("behind-1")
    site.build("r1")
    outcome = await site.hosts.deploy(host, site.intent("r1"), 1, LONG_S)
    assert (outcome.result, outcome.detail, site.current()) == (Result.DONE, "runs r1", "r1")
    (state,) = await seen(site, [host])
    assert isinstance(state, HostState)
    assert (state.revision, state.healthy) == ("r1", True)
    (site.folder / "log").write_text("one\ntwo\n")
    logs = SshLogs(site.client, site.clock)
    told = await logs.tail(host, site.way, File(str(site.folder / "log")), 1, deadline_s=LONG_S)
    assert told == ("two",)
    assert jump.itself.logins() == 1


async def test_a_jump_host_that_hangs_is_given_up_and_nothing_is_left_of_the_way(
    server: Sshd, jump: Jump, other_client
) -> None:
    client = other_client(connect_s=1.0)
    os.kill(jump.itself.pid, signal.SIGSTOP)
    try:
        fault = await client.run("behind-1", HELLO, deadline_s=LONG_S)
    finally:
        os.kill(jump.itself.pid, signal.SIGCONT)
    assert isinstance(fault, SshFault)
    assert fault.kind is Kind.TIMED_OUT
    assert on_its_way(server) == []
    await client.close()


async def test_a_jump_host_that_went_down_is_one_line_and_all_goes_on_once_it_is_back(site, jump: Jump) -> None:
    host = site.host("behind-1")
    site.build("r1")
    (state,) = await seen(site, [host])
    assert isinstance(state, HostState)
    jump.cut()
    # At first it may be the shared connection that breaks.
    for _ in range(2):
        (fault,) = await seen(site, [host])
        assert isinstance(fault, HostFault)
        site.clock.passed_s += 60
    port = jump.itself.ports["jump"]
    assert fault.why == f"connection refused: ssh: connect to host 127.0.0.1 port {port}: Connection refused"
    outcome = await site.hosts.deploy(host, site.intent("r1"), 1, 1.0)
    assert outcome.result is Result.FAILED
    assert outcome.detail.startswith("nothing done: ")
    assert not site.root.exists()
    jump.itself.start()
    site.clock.passed_s += 60
    (state,) = await seen(site, [host])
    assert isinstance(state, HostState)
    outcome = await site.hosts.deploy(host, site.intent("r1", 2), 1, LONG_S)
    assert outcome.result is Result.DONE
