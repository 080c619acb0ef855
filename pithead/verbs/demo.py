"""`pithead demo`: a whole company on this machine, seen in the control room or told by a script."""

import shlex
import signal
import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import Any, NoReturn

from pithead.connect import Found, configured
from pithead.exits import Exit, Failure
from pithead.out import Out
from pithead.peek import peek
from pithead.places import places
from pithead.stage import Stage

ABOUT = """\
A small company is being started on this machine: 12 services on about 115
loopback hosts in 3 datacenters, with real requests whose day lasts 40 s.
Within two minutes you will see:
  checkout r1204   a good release going through production, wave by wave
  payments r881    20 % errors in canary: rolled back by itself
  search   r885    slow in canary: rolled back, as media r208, which leaks
  pricing  r451    a good canary that waits for you: select it and press P
  cart     r512    paused in canary by a colleague: p lets it go on
and what the rules hold:
  billing  r72     12 minutes down 18 days ago: no release for 3 months
  ledger   r311    in staging, recorded traffic gets other answers
  stock    r62     slow under load: called back, and the service is locked
  mail     r331    a good canary, 100,000 requests short of a traffic cycle
  orders   r941    business-critical, 4 rows of its readiness list missing
Keys: arrows and Enter to look, P promote, p pause or resume, R roll back,
t history, ? help, q leave. Leaving stops and removes all of it."""

EXPECTED = {
    ("checkout", "r1204"): "settled",
    ("payments", "r881"): "rolled back",
    ("pricing", "r451"): "waiting for an operator",
    ("cart", "r512"): "paused",
    ("ledger", "r311"): "held",
    ("mail", "r331"): "waiting for its traffic cycle",
    ("stock", "r62"): "rolled back",
    ("billing", "r72"): "refused",
    ("orders", "r941"): "held",
    ("search", "r885"): "rolled back",
    ("media", "r208"): "rolled back",
}
"""How each release of the script must end where nobody interferes."""


def run(args: Namespace, out: Out) -> int:
    from adapters.config import demo_config_path

    if args.run_dir:
        why = "the demo keeps its sockets in a folder of its own, which goes with it"
        raise Failure(
            "demo --run-dir", why, "leave it out; ? in the room and --headless tell which folder that is", Exit.USAGE
        )
    if not args.headless and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Failure("demo", "this is no terminal", "add --headless", Exit.USAGE)
    if args.config:
        configured(args, out)
    config = Path(args.config).absolute() if args.config else demo_config_path()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    limit_s = args.limit if args.headless and args.until_settled else None
    with Stage(config, limit_s) as stage:
        if args.headless:
            return _headless(args, stage, out)
        for line in ABOUT.splitlines():
            out.line(line)
        from pithead.verbs.room import load, show

        load(args.verb)
        stage.wait_ready()
        settings, _ = peek(config)
        show(Found(settings, places(settings, stage.run_dir)), args, _beside(stage.run_dir))
        out.line("Stopping the demo ...")
    out.line("All of it is stopped and removed.")
    return Exit.DONE


def _beside(run_dir: Path) -> str:
    return f"pithead --run-dir {shlex.quote(str(run_dir))} status"


def _leave(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)


def _headless(args: Namespace, stage: Stage, out: Out) -> int:
    began = time.monotonic()
    stage.wait_ready()
    out.note(f"The company runs. Look at it with: {_beside(stage.run_dir)}")
    if not args.until_settled:
        signal.pause()
    outcomes = stage.wait_outcomes()
    ok = {(each["service"], each["revision"]): each["end"] for each in outcomes} == EXPECTED
    if args.json:
        told = [_told(each) for each in outcomes]
        out.json({"ok": ok, "seconds": round(time.monotonic() - began, 1), "releases": told})
    else:
        rows = [
            (each["service"], each["revision"], each["end"], f"{each['after_s']:.0f} s", each["why"])
            for each in outcomes
        ]
        out.table(rows)
    return Exit.DONE if ok else Exit.REFUSED


def _told(outcome: dict[str, Any]) -> dict[str, Any]:
    expected = EXPECTED.get((outcome["service"], outcome["revision"]))
    return {**outcome, "after_s": round(outcome["after_s"], 1), "expected": expected}
