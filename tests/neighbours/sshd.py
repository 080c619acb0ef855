"""A real sshd on loopback, for the current user: own keys, own configuration, and a client's to go with it."""

import getpass
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.neighbours.need import need

START_S = 10.0
SEPARATION = Path("/run/sshd")
"""Root's sshd wants it to be there."""


@dataclass
class Sshd:
    """`doors` are ports of one sshd, each with settings of its own; `ssh -F config DOOR` or `DOOR-anything` goes in."""

    folder: Path
    ports: Mapping[str, int]
    home: Path
    """What a login there takes for its home."""
    config: Path
    known_hosts: Path
    log: Path
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Returns when its ports take connections: the same as before, where it was stopped."""
        command = [need("sshd"), "-D", "-f", str(self.folder / "sshd_config"), "-E", str(self.log)]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        for port in self.ports.values():
            _await(port, self.process, self.log)

    def stop(self) -> None:
        """Those who are logged in stay."""
        process, self.process = self.process, None
        if process is not None:
            process.terminate()
            process.wait(timeout=START_S)

    def logins(self) -> int:
        """How many connections have logged in so far."""
        return self.log.read_text(errors="replace").count("Accepted publickey")

    def host(self, alias: str, port: int, *lines: str) -> str:
        """One more alias in the client's configuration."""
        with self.config.open("a") as config:
            config.write(_alias(alias, port, lines))
        return alias


def free_ports(number: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody has."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextmanager
def sshd(folder: Path, doors: Mapping[str, Sequence[str]], *settings: str) -> Iterator[Sshd]:
    """Started and taking connections; `settings` are for all doors, and count before the usual ones."""
    keygen = need("ssh-keygen")
    need("sshd")
    need("ssh")
    home = folder / "home"
    home.mkdir(parents=True)
    for key in ("host_key", "other_host_key", "login_key", "other_login_key"):
        made = [keygen, "-q", "-t", "ed25519", "-N", "", "-C", key, "-f", str(folder / key)]
        subprocess.run(made, check=True, timeout=20, stdin=subprocess.DEVNULL)
    (folder / "authorized_keys").write_bytes((folder / "login_key.pub").read_bytes())
    known_hosts = folder / "known_hosts"
    known_hosts.write_text(f"pithead-test {(folder / 'host_key.pub').read_text()}")
    ports = dict(zip(doors, free_ports(len(doors)), strict=True))
    log = folder / "sshd.log"
    (folder / "sshd_config").write_text("\n".join([*settings, *_server(folder, home, ports, doors)]) + "\n")
    config = folder / "ssh_config"
    config.write_text("".join(_alias(f"{door} {door}-*", port) for door, port in ports.items()))
    _separation()
    here = Sshd(folder, ports, home, config, known_hosts, log)
    try:
        here.start()
        yield here
    finally:
        here.stop()


def _server(folder: Path, home: Path, ports: Mapping[str, int], doors: Mapping[str, Sequence[str]]) -> list[str]:
    return [
        *(f"Port {port}" for port in ports.values()),
        "ListenAddress 127.0.0.1",
        f"HostKey {folder / 'host_key'}",
        f"AuthorizedKeysFile {folder / 'authorized_keys'}",
        f"PidFile {folder / 'sshd.pid'}",
        f"SetEnv HOME={home}",
        "UsePAM no",
        "StrictModes no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin yes",
        "PrintMotd no",
        "UseDNS no",
        "LogLevel VERBOSE",
        *(f"Match LocalPort {ports[door]}\n" + "\n".join(lines) for door, lines in doors.items() if lines),
    ]


def _alias(alias: str, port: int, lines: Sequence[str] = ()) -> str:
    # The plain key exchange costs a tenth of the post-quantum one; the one under test is not ssh.
    usual = ["HostName 127.0.0.1", f"Port {port}", f"User {getpass.getuser()}", "KexAlgorithms curve25519-sha256"]
    return f"Host {alias}\n" + "".join(f"  {line}\n" for line in [*lines, *usual])


def _separation() -> None:
    """It stays: another run's sshd may be using it by the time that this one ends."""
    if os.geteuid() == 0:
        SEPARATION.mkdir(mode=0o755, exist_ok=True)


def _await(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                said = log.read_text(errors="replace") if log.exists() else ""
                raise RuntimeError(f"sshd did not start: {said}") from None
            time.sleep(0.02)
