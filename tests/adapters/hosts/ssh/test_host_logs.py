"""Logs of hosts by their services' means, over a real sshd."""

import asyncio

from adapters.hosts.logs import HostLogs, missing
from adapters.hosts.ssh import File, SshLogs
from adapters.means import Means
from pipeline.model import Host
from pipeline.observed import HostFault

LONG_S = 20.0


async def test_each_host_is_read_by_its_services_means_and_a_bad_one_keeps_no_other_waiting(site) -> None:
    file = site.folder / "log"
    file.write_bytes(b"one\ntwo\nthr\x1bee\n")
    means = {
        "cart-1": ("cart", Means(way=site.way, log=File(str(file)))),
        "cart-2": ("cart", Means(way=site.way, log=File(f"{file}-not"))),
        "cart-3": ("cart", Means(way=site.way, log=File(str(file)))),
        "mail-1": ("mail", Means(way=site.way)),
        "web-1": ("web", Means()),
    }
    doors = {"cart-3": "false"}
    hosts = [site.host(doors.get(name, "plain"), name) for name in means]

    def of(host: Host) -> tuple[str, Means]:
        return means[host.name]

    logs = HostLogs(SshLogs(site.client, site.clock), of, site.clock)
    told = await logs.tail(hosts, 2, LONG_S)
    async with asyncio.timeout(LONG_S):
        while any(isinstance(said, HostFault) and "connections at once" in said.why for said in told.values()):
            # Logins that an earlier test cut off may not have left the server yet.
            await asyncio.sleep(0.05)
            told = await logs.tail(hosts, 2, LONG_S)
    assert told["cart-1"] == ("two", "thr\ufffdee")
    whys = {name: said.why for name, said in told.items() if isinstance(said, HostFault)}
    assert whys.keys() == {"cart-2", "cart-3", "mail-1", "web-1"}
    assert whys["cart-2"].startswith("no log: exit 1: tail: ")
    assert "the login there runs no `sh -s`" in whys["cart-3"]
    assert whys["mail-1"] == missing("mail", by_ssh=True)
    assert whys["web-1"] == missing("web", by_ssh=False)


async def test_without_ssh_every_host_says_what_to_set(site) -> None:
    logs = HostLogs(None, lambda host: ("web", Means()), site.clock)
    (said,) = (await logs.tail([site.host()], 5, LONG_S)).values()
    assert isinstance(said, HostFault)
    assert said.why == (
        'logs are read by ssh, and it is reached by its agent: set reach.by = "ssh" and [service.web.logs]'
    )
