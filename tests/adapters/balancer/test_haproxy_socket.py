"""The runtime API of a real HAProxy, over a unix and a TCP socket, and of those that are none."""

import os

import pytest

from adapters.balancer.answers import BalancerFault, Server
from adapters.balancer.haproxy import HaproxySocket, Wanted


@pytest.mark.parametrize("over", ["unix", "tcp"])
async def test_a_server_is_seen_drained_and_put_back(house, over: str) -> None:
    balancer = (await house()).balancers[0]
    socket = HaproxySocket(balancer.admin if over == "unix" else balancer.stats)
    server = (await socket.servers("be_web"))["web-1"]
    assert isinstance(server, Server)
    assert (server.ready, server.out, server.weight) == (True, False, 1)
    load = await socket.load("be_web", "web-1")
    assert (load.sessions, load.queued, load.serving, load.idle) == (0, 0, True, True)
    for wanted, drained, maint in [
        (Wanted.DRAIN, True, False),
        (Wanted.MAINT, False, True),
        (Wanted.READY, False, False),
    ]:
        await socket.set_state("be_web", "web-1", wanted)
        server = (await socket.servers("be_web"))["web-1"]
        assert (server.drained, server.maint, server.ready) == (drained, maint, wanted is Wanted.READY)
        assert (await socket.load("be_web", "web-1")).serving is (wanted is Wanted.READY)


async def test_a_server_disabled_by_configuration_is_in_maintenance_until_it_is_made_ready(house) -> None:
    balancer = (await house(options="disabled")).balancers[0]
    socket = HaproxySocket(balancer.admin)
    server = (await socket.servers("be_web"))["web-1"]
    assert (server.maint, server.ready) == (True, False)
    await socket.set_state("be_web", "web-1", Wanted.READY)
    assert (await socket.servers("be_web"))["web-1"].ready


async def why(socket: HaproxySocket, backend: str = "be_web", server: str = "web-1") -> str:
    with pytest.raises(BalancerFault) as caught:
        await socket.set_state(backend, server, Wanted.READY)
    return caught.value.why


async def test_every_refusal_of_haproxy_says_what_to_do(house) -> None:
    balancer = (await house()).balancers[0]
    socket, at = HaproxySocket(balancer.admin), f"balancer {balancer.admin}"
    fix = "correct the name here or in HAProxy's configuration"
    assert await why(socket, "be_wob") == f"{at}: no backend be_wob: {fix}"
    assert await why(socket, server="web-9") == f"{at}: no server web-9 in backend be_web: {fix}"
    for ask in (socket.servers("be_wob"), socket.load("be_wob", "web-1")):
        with pytest.raises(BalancerFault, match=f"no backend be_wob: {fix}"):
            await ask
    with pytest.raises(BalancerFault, match=f"no server web-9 in backend be_web: {fix}"):
        await socket.load("be_web", "web-9")
    operator = HaproxySocket(balancer.operator)
    denied = f'balancer {balancer.operator}: permission denied: give its "stats socket" line "level admin"'
    assert await why(operator) == denied
    assert (await operator.servers("be_web"))["web-1"].ready


async def test_a_dead_and_a_frozen_haproxy_are_told_apart(house) -> None:
    balancer = (await house()).balancers[0]
    balancer.freeze()
    assert (await why(HaproxySocket(balancer.admin, 0.1))).endswith(
        "no answer in 0.1 s: see whether HAProxy runs and is not frozen"
    )
    await balancer.kill()
    for address in (balancer.admin, balancer.stats):
        assert (await why(HaproxySocket(address))).endswith("refused: see whether HAProxy runs, and listens there")


async def test_a_socket_that_is_not_there_is_said(tmp_path) -> None:
    told = await why(HaproxySocket(str(tmp_path / "none.sock")))
    assert told.endswith('no such socket: see whether HAProxy runs, with "stats socket" at this path')


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every socket")
async def test_a_socket_that_may_not_be_opened_is_said(house) -> None:
    balancer = (await house()).balancers[0]
    balancer.folder.joinpath("admin.sock").chmod(0)
    assert "the socket cannot be opened: give its" in await why(HaproxySocket(balancer.admin))


@pytest.mark.parametrize("address", ["", "haproxy", "localhost:", ":9999", "localhost:http", "localhost:99999"])
async def test_what_is_no_address_is_said(address: str) -> None:
    assert (await why(HaproxySocket(address))).endswith("not the address of a socket: give /path/to.sock or host:port")


@pytest.mark.parametrize(
    "name", ["", "be web", "be;show info", "be\nshow info", "be/web", "-x", "b\u00e9", "b" * 101, "@1"]
)
async def test_a_name_that_would_be_another_command_is_never_sent(peers, name: str) -> None:
    socket = HaproxySocket(await peers.saying(b"\n"))
    asks = (
        socket.servers(name),
        socket.load(name, "web-1"),
        socket.load("be_web", name),
        socket.set_state(name, "web-1", Wanted.DRAIN),
        socket.set_state("be_web", name, Wanted.DRAIN),
    )
    for ask in asks:
        with pytest.raises(BalancerFault, match="cannot name a backend or server"):
            await ask
    assert peers.connections == 0


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "the connection was closed in mid-answer"),
        (b"half a line", "the connection was closed in mid-answer"),
        (b"HTTP/1.1 400 Bad request\r\n\r\n", 'was answered "HTTP/1.1 400 Bad request"'),
        (b"\x1b[2Jwoe\n", 'was answered "\ufffd[2Jwoe"'),
        (b"x" * (4 * 1024 * 1024 + 2), "an answer of more than 4 MiB"),
    ],
    ids=["nothing", "half a line", "HTTP", "a terminal's words", "too much"],
)
async def test_a_neighbour_that_is_no_haproxy_is_a_fault(peers, raw: bytes, said: str) -> None:
    async def talk(reader, writer) -> None:
        await reader.readline()
        writer.write(raw)
        await writer.drain()
        writer.close()

    assert said in await why(HaproxySocket(await peers.talking(talk)))
