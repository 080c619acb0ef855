"""Jump hosts: how many connections each is asked for at once, and what is said of one that lets nobody through."""

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from adapters.hosts.ssh.client import Ran
from adapters.hosts.ssh.faults import Kind, SshFault
from adapters.hosts.ssh.jumps import AT_ONCE, Jumps, named
from adapters.hosts.ssh.process import Feed
from tests.neighbours.sshd import Sshd, free_ports, sshd

LONG_S = 20.0


def test_the_jump_hosts_are_those_that_ssh_itself_names(server) -> None:
    alias = server.host("far", server.ports["plain"], "ProxyJump me@beta:2200,alpha")
    printed = subprocess.run(["ssh", "-F", server.config, "-G", alias], check=True, capture_output=True, timeout=20)
    assert named(printed.stdout) == ("alpha", "me@beta:2200")
    plain = subprocess.run(["ssh", "-F", server.config, "-G", "plain"], check=True, capture_output=True, timeout=20)
    assert named(plain.stdout) == named(b"proxyjump none\n") == ()


@given(st.binary(max_size=200))
def test_whatever_ssh_prints_there_are_jump_hosts_in_it_or_none(said: bytes) -> None:
    assert all(named(b"proxyjump " + said))


async def test_a_jump_host_is_asked_for_eight_connections_at_once_and_each_host_once_for_its_way() -> None:
    asked: list[str] = []

    async def ask(destination: str) -> bytes:
        asked.append(destination)
        return b"proxyjump bastion\n" if destination != "near" else b""

    jumps, at_it, most, go_on = Jumps(ask, 16), 0, 0, asyncio.Event()

    async def connect(destination: str) -> None:
        nonlocal at_it, most
        async with jumps.passed(destination):
            at_it += 1
            most = max(most, at_it)
            await go_on.wait()
            at_it -= 1

    through = [asyncio.ensure_future(connect(f"far-{number}")) for number in range(20)]
    for _ in range(100):
        await asyncio.sleep(0)
    assert at_it == AT_ONCE
    beside = asyncio.ensure_future(connect("near"))
    for _ in range(100):
        await asyncio.sleep(0)
    assert at_it == AT_ONCE + 1
    go_on.set()
    await asyncio.gather(*through, beside)
    assert most == AT_ONCE + 1
    await connect("far-1")
    assert sorted(asked) == sorted({f"far-{number}" for number in range(20)} | {"near"})
    jumps.forget("far-1")
    await connect("far-1")
    assert asked.count("far-1") == 2


@contextmanager
def jumping(server: Sshd) -> Iterator[Callable[[], int]]:
    """A second sshd, through which all `past-NAME` go; how many have logged in there."""
    folder = Path(tempfile.mkdtemp(prefix="pithead-past-"))
    try:
        with sshd(folder, {"jump": ()}, f"MaxStartups {AT_ONCE}:100:{AT_ONCE}") as itself:
            key, known = f"IdentityFile {folder / 'login_key'}", f"UserKnownHostsFile {folder / 'known_hosts'}"
            trusted = (key, known, "GlobalKnownHostsFile none", "HostKeyAlias pithead-test", "IdentitiesOnly yes")
            jump = server.host(f"past{itself.ports['jump']}", itself.ports["jump"], *trusted)
            server.host("past-*", server.ports["plain"], f"ProxyJump {jump}")
            yield itself.logins
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def test_nobody_is_asked_for_the_way_where_no_more_connections_are_made_anyway() -> None:
    async def ask(destination: str) -> bytes:
        raise AssertionError(destination)

    async with Jumps(ask, AT_ONCE).passed("far"):
        pass


async def test_thirty_hosts_behind_one_jump_host_are_met_through_eight_connections_at_once(
    site, server, other_client
) -> None:
    # This sshd drops the ninth connection that has not logged in yet.
    with jumping(server) as mark:
        client = other_client(connections_at_once=16)
        answers = await asyncio.gather(
            *(client.run(f"past-{number}", Feed(b"echo hello\n"), deadline_s=60.0) for number in range(30))
        )
        await client.close()
        assert {type(answer) for answer in answers} == {Ran}
        assert mark() == 30


async def reason(site, server, jump: str) -> SshFault:
    """Why there is no way through `jump`."""
    beyond = server.host(f"beyond-{jump}", server.ports["plain"], f"ProxyJump {jump}")
    fault = await site.client.run(beyond, Feed(b"true\n"), deadline_s=LONG_S)
    assert isinstance(fault, SshFault)
    return fault


async def test_a_jump_host_where_nobody_listens_is_said_so_though_a_shared_connection_hides_it(site, server) -> None:
    (port,) = free_ports(1)
    fault = await reason(site, server, server.host(f"jump-{port}", port))
    assert fault.kind is Kind.REFUSED
    assert f"connect to host 127.0.0.1 port {port}: Connection refused" in fault.why


async def test_a_jump_host_that_refuses_the_login_is_asked_no_more_than_that_and_not_again(site, server) -> None:
    key = f"IdentityFile {server.folder / 'other_login_key'}"
    known = f"UserKnownHostsFile {server.known_hosts}"
    trusted = ("HostKeyAlias pithead-test", known, "GlobalKnownHostsFile none", "IdentitiesOnly yes")
    jump = server.host("stern", server.ports["plain"], key, *trusted)
    fault = await reason(site, server, jump)
    assert fault.kind is Kind.DENIED
    assert "Permission denied (publickey)" in fault.why
    tried = server.log.read_text().count("Connection from")
    again = await site.client.run("beyond-stern", Feed(b"true\n"), deadline_s=LONG_S, urgent=True)
    assert isinstance(again, SshFault)
    assert (again.kind, server.log.read_text().count("Connection from")) == (Kind.DENIED, tried)
