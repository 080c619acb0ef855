"""The company is real processes on real addresses, and nothing of it stays behind."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from adapters.demo.builds import Fault
from adapters.demo.company import Company, CompanyError
from adapters.wire import Wire, WireError
from pithead.backstage import Controller
from tests.adapters.demo.demo_support import until

CONFIG = """
[demo]
day = "5s"
peak_rps = 60
restart = "200ms"

[datacenter.fra1]

[signals.requests]
kind = "counter"
series = "http_requests_total"

[signals.errors]
kind = "counter"
series = 'http_requests_total{code=~"5.."}'

[organisation.metrics.errors]
kind = "ratio"
bad = "errors"
total = "requests"

[organisation.staging]
mode = "full"

[service.profile]
revision = "r100"

[[service.profile.hosts]]
datacenter = "fra1"
name = "profile-[1-3]"
address = "127.77.8.[1-3]:7077"

[[service.profile.hosts]]
datacenter = "fra1"
name = "profile-staging"
address = "127.77.8.101:7077"
pool = "staging"
"""
PARENT = """
import asyncio, sys
from pathlib import Path
from adapters.demo.company import Company

async def main():
    async with Company(Path(sys.argv[1])) as company:
        print(company.folder, *(child.pid for child in company._children), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
async def wire():
    client = Wire()
    yield client
    await client.close()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def there(folder: str) -> bool:
    return Path(folder).is_dir()


async def served(wire: Wire, address: str) -> int:
    page = (await wire.request(address, "GET", "/metrics", timeout_s=5)).body.decode()
    return int(page.split("duration_seconds_count{")[1].split("} ")[1].split("\n")[0])


async def test_a_company_answers_is_busy_can_go_wrong_and_leaves_nothing(config: Path, wire: Wire) -> None:
    async with Company(config) as company:
        pids = [child.pid for child in company._children]
        assert len(pids) == 2
        assert company.folder.stat().st_mode & 0o777 == 0o700
        assert len(str(company.control)) < 90
        hosts = company.settings.fleet.services["profile"].production
        assert all(host.address.startswith(f"127.{company.second_octet}.") for host in hosts)
        async with asyncio.timeout(10):
            while not await served(wire, hosts[0].address):
                pass
        await company.make(hosts[0].name, Fault.REFUSE)
        with pytest.raises(WireError):
            await served(wire, hosts[0].address)
        await company.make(hosts[0].name, Fault.NONE)
        assert await served(wire, hosts[0].address)
        with pytest.raises(CompanyError, match="nobody"):
            await company.make("nobody", Fault.HANG)
    assert not company.folder.exists()
    assert not any(alive(pid) for pid in pids)


async def test_two_companies_live_side_by_side(config: Path) -> None:
    async with Company(config) as first, Company(config) as second:
        assert first.second_octet != second.second_octet
        assert first.folder != second.folder


async def test_an_exception_in_the_block_leaves_nothing(config: Path) -> None:
    with pytest.raises(RuntimeError):
        async with Company(config) as company:
            pids = [child.pid for child in company._children]
            raise RuntimeError
    assert not company.folder.exists()
    assert not any(alive(pid) for pid in pids)


async def test_a_program_that_does_not_start_is_named_with_its_last_words(config: Path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    company = Company(config)
    with pytest.raises(CompanyError, match="fleet does not start: it said nothing"):
        await company.__aenter__()
    assert not company.folder.exists()


async def test_a_program_that_is_too_slow_is_named_with_how_long_it_was_waited_for(config: Path, monkeypatch) -> None:
    monkeypatch.setattr("adapters.demo.company.READY_S", 0.0)
    with pytest.raises(CompanyError, match="its fleet has not come up within 0 s: it said nothing"):
        await Company(config).__aenter__()
    monkeypatch.undo()
    monkeypatch.setattr("pithead.backstage.COMING_UP_S", 0.0)
    async with Company(config) as company:
        controller = Controller(company, config)
        with pytest.raises(CompanyError, match="its controller has not come up within 0 s: it said nothing"):
            await controller.start()
        await controller.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
async def test_a_parent_that_is_ended_takes_all_of_it_along(config: Path, number: signal.Signals) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PARENT,
        str(config),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=Path(__file__).parents[3],
    )
    assert parent.stdout is not None
    folder, *pids = (await parent.stdout.readline()).decode().split()
    try:
        assert there(folder)
        assert all(alive(int(pid)) for pid in pids)
        parent.send_signal(number)
        await parent.wait()
        await until(lambda: not there(folder) and not any(alive(int(pid)) for pid in pids))
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
