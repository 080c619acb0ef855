"""Ways to a host that do not lead there, and what each is called; and how few connections are made."""

import asyncio
import random
import re
import shutil
import stat
import time
from dataclasses import replace

import pytest

from adapters.config import durations
from adapters.hosts.ssh import SshClient, SshHosts
from adapters.hosts.ssh.client import Ran
from adapters.hosts.ssh.faults import Kind, SshFault
from adapters.hosts.ssh.process import Feed
from pipeline.events import Result
from pipeline.observed import HostFault, HostState
from pithead.clock import SystemClock
from tests.neighbours.sshd import free_ports

LONG_S = 20.0
HELLO = Feed(b"echo hello\n")


class TriedOnce(SystemClock):
    """After one try all its time is over, however long that took."""

    slept_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.slept_s

    async def sleep(self, seconds: float) -> None:
        self.slept_s += LONG_S


@pytest.fixture
async def refusing(server) -> str:
    (port,) = free_ports(1)
    return server.host(f"refusing-{port}", port)


async def why(site, door: str, timeout_s: float = LONG_S) -> str:
    found = (await site.hosts.states([site.host(door)], timeout_s))["cart-1"]
    assert isinstance(found, HostFault), found
    return found.why


async def test_a_port_where_nobody_listens_is_refused_and_nothing_was_done(site, refusing: str) -> None:
    assert re.fullmatch(
        r"connection refused: ssh: connect to host 127.0.0.1 port \d+: Connection refused", await why(site, refusing)
    )
    outcome = await site.hosts.deploy(site.host(refusing), site.intent("r1"), 1, 0.5)
    assert outcome.result is Result.FAILED
    assert outcome.detail.startswith("nothing done: connection refused: ")


async def test_a_name_that_nobody_knows_is_said_so(site) -> None:
    assert (await why(site, "no-such-host.invalid")).startswith("name not found: ")


async def test_an_unknown_host_key_is_a_fault_that_tells_what_to_do(site, server, other_client) -> None:
    empty = site.folder / "no_known_hosts"
    client = other_client(options=_with(site, server, known_hosts=empty))
    fault = await client.run("plain", HELLO, deadline_s=LONG_S)
    assert isinstance(fault, SshFault)
    assert (fault.kind, fault.reached) == (Kind.KEY_UNKNOWN, False)
    assert f"check it and accept it once with ssh -F {server.config} " in fault.why
    assert fault.why.endswith("; tried again in 60 s")
    assert not empty.exists()
    await client.close()


async def test_a_changed_host_key_is_never_tried_fast_until_known_hosts_has_changed(site, server, other_client) -> None:
    changed = site.folder / "changed"
    changed.write_text(f"pithead-test {(server.folder / 'other_host_key.pub').read_text()}")
    client = other_client(options=_with(site, server, known_hosts=changed))
    fault = await client.run("plain", HELLO, deadline_s=LONG_S)
    assert isinstance(fault, SshFault)
    assert fault.kind is Kind.KEY_CHANGED
    assert fault.why.startswith("the host key has changed: ssh -F ")
    mark = server.log.read_text().count("Connection from")
    again = await client.run("plain", HELLO, deadline_s=LONG_S, urgent=True)
    assert isinstance(again, SshFault)
    assert (again.kind, server.log.read_text().count("Connection from")) == (Kind.KEY_CHANGED, mark)
    changed.write_bytes(server.known_hosts.read_bytes())
    assert isinstance(await client.run("plain", HELLO, deadline_s=LONG_S), Ran)
    await client.close()


async def test_a_login_that_was_refused_is_not_tried_again_by_itself(site, server, clock) -> None:
    options = _with(site, server, key="other_login_key")
    client = SshClient(replace(site.client._settings, options=options), site.folder / "o", clock, random.Random(1))
    fault = await client.run("plain", HELLO, deadline_s=LONG_S)
    assert isinstance(fault, SshFault)
    assert fault.kind is Kind.DENIED
    assert "Permission denied (publickey)" in fault.why
    tried = server.log.read_text().count("Connection from")
    assert await client.run("plain", HELLO, deadline_s=LONG_S, urgent=True) == fault
    assert server.log.read_text().count("Connection from") == tried
    clock.elapsed_s += 35
    later = await client.run("plain", HELLO, deadline_s=LONG_S)
    assert isinstance(later, SshFault)
    assert later.why == fault.why.replace("in 60 s", "in 30 s")
    clock.elapsed_s += 26
    assert await client.run("plain", HELLO, deadline_s=LONG_S) == fault
    assert server.log.read_text().count("Connection from") == tried + 1
    await client.close()


async def test_a_host_that_refused_rests_until_it_is_due_or_it_is_urgent(site, refusing: str, clock) -> None:
    client = SshClient(site.client._settings, site.folder / "o", clock, random.Random(1))
    first = await client.run(refusing, HELLO, deadline_s=LONG_S)
    assert isinstance(first, SshFault)
    began = client._backoff._rests[refusing]
    assert await client.run(refusing, HELLO, deadline_s=LONG_S) == first
    assert client._backoff._rests[refusing] == began
    await client.run(refusing, HELLO, deadline_s=LONG_S, urgent=True)
    assert client._backoff._rests[refusing].failures == 2
    clock.elapsed_s += 5
    await client.run(refusing, HELLO, deadline_s=LONG_S)
    assert client._backoff._rests[refusing].failures == 3
    await client.close()


@pytest.mark.parametrize("door", ["false", "forced"])
async def test_a_login_without_a_shell_is_one_clear_fault(site, door: str) -> None:
    said = await why(site, door)
    assert said.startswith("the login there runs no `sh -s` (exit ")
    assert said.endswith("give it a shell, and no forced command")
    hosts = SshHosts(site.client, lambda _: site.way, TriedOnce())
    outcome = await hosts.deploy(site.host(door), site.intent("r1"), 1, LONG_S)
    assert (outcome.result, outcome.detail) == (Result.FAILED, f"nothing done: {said}")


async def test_a_host_that_hangs_is_given_up_at_the_deadline(site) -> None:
    while await why(site, "hang", 0.3) != "no answer in 0.3 s, ended":
        await site.clock.sleep(0.05)
    began = time.monotonic()
    assert await why(site, "hang", 0.3) == "no answer in 0.3 s, ended"
    assert time.monotonic() - began < 5
    outcome = await site.hosts.deploy(site.host("hang"), site.intent("r1"), 1, 0.3)
    assert (outcome.result, outcome.detail) == (Result.FAILED, "nothing done: no answer in 0.3 s, ended")


async def test_a_host_that_says_too_much_is_ended(site) -> None:
    assert await why(site, "flood") == "it says more than 256 KiB, ended"


async def test_noise_and_bytes_that_are_no_text_do_not_matter(site) -> None:
    found = (await site.hosts.states([site.host("noisy")], LONG_S))["cart-1"]
    assert isinstance(found, HostState)
    assert (found.revision, found.healthy, found.result) == ("", False, None)


@pytest.mark.parametrize("destination", ["-oProxyCommand=touch x", "a b", "", "a;b", "a\nb", "$(id)"])
async def test_what_is_no_destination_never_reaches_ssh(site, destination: str) -> None:
    fault = await site.client.run(destination, HELLO, deadline_s=LONG_S)
    assert isinstance(fault, SshFault)
    assert "is no host for ssh" in fault.why


async def test_a_missing_ssh_is_said_so(other_client) -> None:
    client = other_client(program="ssh-that-is-not-there")
    fault = await client.run("plain", HELLO, deadline_s=LONG_S)
    assert fault == SshFault(
        Kind.LOCAL, "ssh-that-is-not-there cannot be run: No such file or directory: install openssh-client"
    )
    await client.close()


async def test_only_a_missing_program_is_told_to_be_installed(other_client, tmp_path) -> None:
    (tmp_path / "ssh").write_text("no program")
    client = other_client(program=str(tmp_path / "ssh"))
    fault = await client.run("plain", HELLO, deadline_s=LONG_S)
    assert isinstance(fault, SshFault)
    assert fault.why.endswith("cannot be run: Permission denied: see [ssh] program")
    client._folder.ready = lambda: tmp_path / "gone"
    fault = await client.run("plain", HELLO, deadline_s=LONG_S)
    assert isinstance(fault, SshFault)
    assert fault.why == f"{tmp_path}/gone: No such file or directory: it is made anew with the next try"
    del client._folder.ready
    await client.close()


async def test_a_login_that_is_mended_in_the_users_own_files_is_tried_at_once(site, server, other_client) -> None:
    key = site.folder / "key"
    key.write_bytes((server.folder / "other_login_key").read_bytes())
    key.chmod(0o600)
    options = tuple(str(key) if word.endswith("login_key") else word for word in site.client._settings.options)
    client = other_client(options=options)
    fault = await client.run("plain", HELLO, deadline_s=LONG_S)
    assert isinstance(fault, SshFault)
    assert fault.kind is Kind.DENIED
    key.write_bytes((server.folder / "login_key").read_bytes())
    assert isinstance(await client.run("plain", HELLO, deadline_s=LONG_S), Ran)
    await client.close()


async def test_the_one_client_does_not_end_the_others_connections(site, server, settings) -> None:
    assert isinstance(await site.client.run("plain-first", HELLO, deadline_s=LONG_S), Ran)
    logins = server.logins()
    second = SshClient(settings, site.folder / "run", site.clock, random.Random(3))
    await second.close()
    assert isinstance(await site.client.run("plain-first", HELLO, deadline_s=LONG_S), Ran)
    assert server.logins() == logins


async def test_a_folder_of_connections_that_has_vanished_is_made_anew(site, server) -> None:
    assert isinstance(await site.client.run("plain-anew", HELLO, deadline_s=LONG_S), Ran)
    shutil.rmtree(site.folder / "run")
    assert isinstance(await site.client.run("plain-anew", HELLO, deadline_s=LONG_S), Ran)
    (folder,) = (site.folder / "run").iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_a_folder_that_a_killed_client_left_is_removed_and_one_in_use_is_not(site, settings) -> None:
    left = site.folder / "run" / "ssh-left"
    left.mkdir()
    second = SshClient(settings, site.folder / "run", site.clock, random.Random(3))
    assert not left.exists()
    assert len(list((site.folder / "run").iterdir())) == 2
    await second.close()


async def test_one_connection_is_shared_and_ends_with_the_client(site, server) -> None:
    before = server.logins()
    for _ in range(3):
        ran = await site.client.run("plain-shared", HELLO, deadline_s=LONG_S)
        assert isinstance(ran, Ran)
        assert ran.out == b"hello\n"
    assert server.logins() == before + 1
    (folder,) = (site.folder / "run").iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    await site.client.close()
    assert not folder.exists()


@pytest.mark.parametrize("unused", ["0s", "500ms", "1m30s"])
async def test_times_of_the_configuration_are_such_as_ssh_takes(site, other_client, unused: str) -> None:
    client = other_client(connect_s=durations.seconds("1500ms"), keep_s=durations.seconds(unused))
    assert isinstance(await client.run("plain-timed", HELLO, deadline_s=LONG_S), Ran)
    # To ssh, 0 is for ever.
    assert "ControlPersist=0" not in client._argv("plain-timed")
    await client.close()


async def test_fifty_hosts_are_met_with_at_most_eight_new_connections_at_once(site, server) -> None:
    # This sshd drops the ninth connection that has not logged in yet.
    hosts = [site.host(f"plain-{number}", f"cart-{number}") for number in range(50)]
    mark = len(server.log.read_text())
    seen = await site.hosts.states(hosts, 60.0)
    assert [found for found in seen.values() if not isinstance(found, HostState)] == []
    text = server.log.read_text()[mark:]
    waiting = most = 0
    for event in re.findall(r"Connection from|Accepted publickey", text):
        waiting += 1 if event == "Connection from" else -1
        most = max(most, waiting)
    assert 1 < most <= 8
    assert text.count("Accepted publickey") == 50


async def test_a_caller_in_a_hurry_does_not_stop_the_connection_from_being_made(site, server) -> None:
    hasty = await site.client.run("plain-slow", HELLO, deadline_s=0.01)
    assert isinstance(hasty, SshFault)
    assert (hasty.kind, hasty.reached) == (Kind.BUSY, False)
    before = server.logins()
    assert isinstance(await site.client.run("plain-slow", HELLO, deadline_s=LONG_S), Ran)
    assert server.logins() <= before + 1


async def test_a_host_without_shared_connections_is_reached_all_the_same(server, other_client, site) -> None:
    alias = server.host("plain-lone", server.ports["plain"])
    client = other_client(options=site.client._settings.options)
    client._shared = lambda _: False
    for _ in range(2):
        assert isinstance(await client.run(alias, HELLO, deadline_s=LONG_S), Ran)
    del client._shared
    await client.close()


async def test_calls_at_once_share_the_one_connection(site, server) -> None:
    before = server.logins()
    ran = await asyncio.gather(*(site.client.run("plain-many", HELLO, deadline_s=LONG_S) for _ in range(12)))
    assert all(isinstance(one, Ran) and one.status == 0 for one in ran)
    assert server.logins() == before + 1


def _with(site, server, *, known_hosts=None, key: str = "login_key") -> tuple[str, ...]:
    changed = {
        f"UserKnownHostsFile={server.known_hosts}": f"UserKnownHostsFile={known_hosts or server.known_hosts}",
        str(server.folder / "login_key"): str(server.folder / key),
    }
    return tuple(changed.get(word, word) for word in site.client._settings.options)
