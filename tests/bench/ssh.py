"""Hosts by ssh, the first time and again: `python -m tests.bench.ssh`. Nothing is asserted.

All hosts are one real sshd on loopback under many names, so its own work is in the wall time; the CPU is ours alone,
with that of the ssh processes.
"""

import argparse
import asyncio
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from adapters.hosts.ssh import Command, SshClient, SshHosts, SshSettings, Way
from pipeline.model import Host, Pool
from pipeline.observed import HostState
from pithead.clock import SystemClock
from tests.bench.tables import show
from tests.neighbours.need import path_of
from tests.neighbours.sshd import Sshd, sshd

TIMEOUT_S = 120.0


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.bench.ssh", description=__doc__)
    asked.add_argument("--hosts", type=int, default=200, metavar="N")
    asked.add_argument("--rounds", type=int, default=3, metavar="N", help="after the first")
    args = asked.parse_args()
    if path_of("sshd") is None:
        print("pithead: bench: ssh: there is no sshd: Debian: openssh-server", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="pithead-bench-") as folder, sshd(Path(folder), {"bench": ()}) as door:
        rows = asyncio.run(measured(door, args.hosts, args.rounds))
    show(
        f"{args.hosts} hosts by ssh, 8 new connections at once: the state of each",
        ("round", "answered", "wall s", "CPU s", "of it ssh", "ssh processes MiB"),
        rows,
        ("the helper is fed to the host's shell each time; connections are shared and kept",),
    )
    return 0


async def measured(door: Sshd, number: int, rounds: int) -> list[Sequence[str]]:
    options = ("-F", str(door.config), "-i", str(door.folder / "login_key"), "-o", "IdentitiesOnly=yes")
    known = ("-o", f"UserKnownHostsFile={door.known_hosts}", "-o", "HostKeyAlias=pithead-test")
    clock = SystemClock()
    client = SshClient(SshSettings(options=(*options, *known)), door.folder / "run", clock, random.Random(1))
    way = Way("bench", Command(("true",)), f"{door.folder}/state/{{host}}")
    fleet = SshHosts(client, lambda _: way, clock)
    hosts = [Host(f"bench-{n}", f"127.0.0.1:{n + 1}", Pool.PRODUCTION, "here") for n in range(number)]
    rows: list[Sequence[str]] = []
    for at in range(rounds + 1):
        before, children, began = cpu(resource.RUSAGE_SELF), cpu(resource.RUSAGE_CHILDREN), time.monotonic()
        seen = await fleet.states(hosts, TIMEOUT_S)
        wall = time.monotonic() - began
        theirs = cpu(resource.RUSAGE_CHILDREN) - children
        well = sum(isinstance(state, HostState) for state in seen.values())
        rows.append(
            (
                "first" if at == 0 else f"again {at}",
                f"{well} of {number}",
                f"{wall:.1f}",
                f"{cpu(resource.RUSAGE_SELF) - before + theirs:.2f}",
                f"{theirs:.2f}",
                f"{masters(door):.0f}",
            )
        )
    await fleet.close()
    return rows


def cpu(whose: int) -> float:
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime


def masters(door: Sshd) -> float:
    """Proportional memory of the kept connections, MiB."""
    total = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            # A kept connection has its socket's folder for its own, whatever it calls itself.
            if (
                not (entry / "cmdline").read_bytes().startswith(b"ssh:")
                or door.folder not in (entry / "cwd").readlink().parents
            ):
                continue
            rollup = (entry / "smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in rollup.split("\n") if line.startswith("Pss:"))
    return total / 1024


if __name__ == "__main__":
    sys.exit(main())
