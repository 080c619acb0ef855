"""A host by ssh, looked at once: whether the login gets in, and whether its recipe could do its work there.

The helper that deploys is not asked, as its own look may write down how an operation ended. What is fed here
only reads.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from adapters.hosts.ssh.backoff import AGAIN
from adapters.hosts.ssh.client import SshClient
from adapters.hosts.ssh.faults import LASTING, Kind, SshFault
from adapters.hosts.ssh.process import Feed
from adapters.hosts.ssh.recipes import Way
from adapters.hosts.ssh.script import Answers, answers
from adapters.hosts.ssh.words import word
from pipeline.model import Host
from pipeline.ports import Clock
from pipeline.text import is_identifier, plain
from pithead.reaching.reached import Wrong

SKEW_S = 5.0
"""A clock that is wrong by more is told of."""
PROBE = "probe"
MENDS = {
    "keeps": ("cannot keep anything in {}", "let the login write there, or set reach.directory to where it may"),
    "root": ("no release can be put in {}", "let the login write there, or correct reach.root"),
    "current": ("{} is no symbolic link", "move it away: a release is switched by renaming a link of that name"),
    "tool": ("needs {}, which is not there", "install it on the host"),
    "package": (
        "the package manager there knows no package {}",
        "refresh the host's package lists, or correct reach.package",
    ),
    "sudo": ("sudo asks for a password before {}", "allow the login that command without one (NOPASSWD)"),
    "login": ("{} may install no packages", "log in as root, or set reach.sudo = true"),
    "state": ("state command: {}", "run it by hand on the host, or correct reach.state"),
}
"""By a fault's kind: what is wrong, and how to mend it."""


@dataclass(frozen=True, slots=True)
class Look:
    """One host, seen once."""

    revision: str = ""
    """"" while nothing runs, or where nobody could say."""
    wrong: tuple[Wrong, ...] = ()
    busy: bool = False
    """A deploy is under way."""
    reached: bool = True
    releases: tuple[str, ...] = ()
    """That are on the host, where somebody else puts them there."""


async def by_ssh(client: SshClient, way: Way, host: Host, clock: Clock, deadline_s: float) -> Look:
    """Never raises for what the host does."""
    destination, nonce = host.ssh or host.name, client.nonce()
    before_s = clock.now().timestamp()
    try:
        ran = await client.run(destination, _feed(way, host, nonce), deadline_s=deadline_s)
    except ValueError as error:
        return Look(wrong=(Wrong(str(error), "correct it in the configuration"),), reached=False)
    said = answers(ran, nonce, PROBE) if not isinstance(ran, SshFault) else ran
    if isinstance(said, SshFault):
        return Look(wrong=(_unreached(said, client.by_hand(destination, "-o", "BatchMode=yes")),), reached=False)
    if said["fault"]:
        return Look(wrong=(Wrong(said["fault"], "give it a directory of its own: reach.directory"),))
    revision = said["revision"] if is_identifier(said["revision"]) else ""
    busy = bool(said["busy"])
    wrong = [_told(line) for line in said.lines]
    wrong += skewed(said["now"], before_s, clock.now().timestamp())
    if said["healthy"] != "yes" and revision and not busy:
        why = "; ".join(filter(None, (said["mark"], said["ill"]))) or "it does not say why"
        wrong.append(Wrong(f"not healthy: {why}", "see the service's log on the host"))
    return Look(revision, tuple(wrong), busy, releases=_releases(said))


def skewed(now: str, before_s: float, after_s: float) -> list[Wrong]:
    """Whether a clock that said `now` (unix seconds) between the two moments of ours is wrong by too much."""
    if not now.isascii() or not now.isdigit() or len(now) > 12:
        return []
    ahead_s, behind_s = float(now) - after_s, before_s - (float(now) + 1.0)
    if max(ahead_s, behind_s) <= SKEW_S:
        return []
    how = f"{ahead_s:.0f} s ahead" if ahead_s > 0 else f"{behind_s:.0f} s behind"
    return [Wrong(f"its clock is {how} of ours", "have both keep time (NTP)")]


def _feed(way: Way, host: Host, nonce: str) -> Feed:
    """Raises `ValueError` for what may not be told to a host."""
    values = {"nonce": word(nonce), "verb": PROBE, "closing": PROBE, **way.variables(host.name, "none")}
    header = "".join(f"{name}={value}\n" for name, value in values.items())
    return Feed(
        text=f"{header}{_script()}begin\n".encode(),
        ready=f"\nPITHEAD-{nonce} begin ".encode(),
        go=b"probe\n",
        end=f"\nPITHEAD-{nonce} end {PROBE}\n".encode(),
    )


@cache
def _script() -> str:
    helper = files("adapters.hosts.ssh")
    parts = (helper / "common.sh", helper / "helper.sh", files(__package__) / "probe.sh")
    return "".join(part.read_text("utf-8") for part in parts)


def _releases(said: Answers) -> tuple[str, ...]:
    return tuple(filter(is_identifier, said.available))


def _told(line: str) -> Wrong:
    kind, _, what = line.partition(" ")
    if kind == "program":
        key, _, name = what.partition(" ")
        return Wrong(f"the {key} command's program {name} is not there", f"install it, or correct reach.{key}")
    said, mend = MENDS.get(kind, ("{}", "see the host"))
    return Wrong(said.replace("{}", what), mend)


def _unreached(fault: SshFault, by_hand: str) -> Wrong:
    """The adapter says itself what to do where only a person can; and of trying again, which is not done here."""
    why = plain(fault.why.partition(AGAIN)[0])
    if fault.kind in LASTING or ": see " in why:
        mark = "): " if "): " in why else ": "
        said, _, mend = why.partition(mark)
        if mend:
            return Wrong(f"no ssh: {said}{mark[:-2]}", mend)
    if fault.kind is Kind.NAME:
        return Wrong(f"no ssh: {why}", "correct the host's ssh or name, or give it an alias in ssh_config")
    if fault.kind is Kind.LOCAL:
        return Wrong(f"no ssh: {why}", "see [ssh] program and options, and that openssh-client is installed")
    return Wrong(f"no ssh: {why}", f"see whether {by_hand} gets in")
