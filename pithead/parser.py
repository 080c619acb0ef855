"""The command line: every verb and option, and nothing that takes long to import."""

import argparse
from typing import NoReturn

from pipeline.commands import SAFE
from pipeline.logs import MOST_LINES
from pipeline.text import LONGEST, plain
from pithead import parsing_docket
from pithead.exits import Exit, Failure

EPILOG = """exit codes: 0 done; 1 refused, failed or rolled back; 2 usage or configuration; 3 no controller, or unknown.
Of gate: 0 it may deploy; 1 it may, with a warning; 2 blocked or held; 3 unknown. Of readiness: 1 rows are missing.
The configuration is looked for at --config, PITHEAD_CONFIG, then where `pithead check` says."""

PATHS = frozenset({"config", "state_dir", "run_dir", "to", "file"})
COLORS = ("auto", "truecolor", "256", "16", "never")


class Parser(argparse.ArgumentParser):
    """Errors are `Failure`s: what was typed may hold anything, and is shown as plain text."""

    def error(self, message: str) -> NoReturn:
        raise Failure(self.prog, plain(message), f"see {self.prog} --help", Exit.USAGE)


def must_be_text(args: argparse.Namespace) -> None:
    """Raises `Failure` for bytes that are no UTF-8: no text that is kept or sent can hold them, paths may.

    So it does for a reason longer than what is kept, before anybody is asked to confirm; that of a rollback or a pause
    is cut instead, since the safe direction waits for nobody's words.
    """
    for name, value in vars(args).items():
        words = value if isinstance(value, list) else [value]
        if name not in PATHS and any(isinstance(word, str) and not _is_utf8(word) for word in words):
            what = f"{args.verb} {name}"
            raise Failure(what, "what was typed is not UTF-8", "type it again; `locale` should say UTF-8", Exit.USAGE)
    size = len(getattr(args, "reason", None) or "")
    if size > LONGEST and args.verb not in SAFE:
        why = f"it has {size} characters, {LONGEST} are kept"
        raise Failure(f"{args.verb} --reason", why, "say it shorter, or where to read more", Exit.USAGE)


def _is_utf8(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def parser() -> Parser:
    common, printing, screen = _common(), _printing(), _screen()
    top = Parser(
        prog="pithead",
        description="The control room for a deployment pipeline. Without a verb: the control room itself.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        # Parsers of their own: defaults set here must not be the verbs' as well.
        parents=[_common(), _screen()],
        allow_abbrev=False,
    )
    top.add_argument("--version", action="store_true", help="print the version and leave")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", parser_class=Parser)

    def verb(name: str, said: str, *parents: Parser, common: Parser = common) -> Parser:
        return verbs.add_parser(
            name, help=said, description=said, parents=[common, *parents], allow_abbrev=False, prog=f"pithead {name}"
        )

    said = "a whole company on this machine: fleet, traffic, releases, and the room"
    demo = verb("demo", said, screen, printing, common=_common(places=False))
    demo.add_argument("--headless", action="store_true", help="without a terminal; print what becomes of each release")
    demo.add_argument("--until-settled", action="store_true", help="with --headless: leave when nothing moves any more")
    demo.add_argument(
        "--limit", type=seconds, default=240.0, metavar="TIME", help="with --headless: give up after this, as 4m"
    )

    wallboard = verb("wallboard", "the fleet on a wall: read-only, no keys needed", screen)
    wallboard.add_argument("--page-seconds", type=page_seconds, metavar="N", help="how long a page stands; else 10")

    controller = verb("controller", "run the pipeline in the foreground, without a terminal")
    controller.add_argument("--detached", action="store_true", help="live on when the terminal hangs up")
    controller.add_argument("--state-dir", metavar="DIR", help="where the history is kept")
    controller.add_argument("--stop", action="store_true", help="stop the one that runs; what runs on hosts goes on")
    controller.add_argument("--print-unit", action="store_true", help="print a systemd unit for it and leave")
    controller.add_argument("--second-octet", type=int, default=None, help=argparse.SUPPRESS)
    controller.add_argument("--life-line", action="store_true", help=argparse.SUPPRESS)

    check = verb("check", "read the configuration and tell every error in it", printing)
    check.add_argument("file", nargs="?", metavar="FILE", help="the configuration to read")
    check.add_argument("--reach", action="store_true", help="then reach everything it names once; change nothing")
    check.add_argument(
        "--service", action="append", default=[], metavar="NAME", help="with --reach: this one; may be said again"
    )

    status = verb("status", "how the fleet, or one service, stands", printing)
    status.add_argument("service", nargs="?", metavar="SERVICE")
    status.add_argument("--watch", action="store_true", help="go on, and print each change")

    explain = verb("explain", "why a service or a release is where it is, and what the judge saw", printing)
    explain.add_argument("target", metavar="SERVICE|RELEASE")
    explain.add_argument("--look", type=count, metavar="N", help="as it was judged then, from the records")
    explain.add_argument("--wave", type=wave, metavar="N", help="0 is the canary; the newest unless told")

    submit = verb("submit", "send a revision on its way", printing)
    submit.add_argument("service", metavar="SERVICE")
    submit.add_argument("revision", metavar="REVISION")
    submit.add_argument("--wait", action="store_true", help="until it has settled (0) or gone back (1)")
    submit.add_argument(
        "--timeout", type=seconds, default=None, metavar="TIME", help="with --wait: 3 after this, as 2h"
    )
    submit.add_argument("--reason", default="", metavar="WHY")
    submit.add_argument("--ci", default="", metavar="FILE|JSON", help="what CI says of this build: commit and suites")

    for name, said in ACTS.items():
        act = verb(name, said, printing)
        act.add_argument("service", metavar="SERVICE")
        act.add_argument("--reason", default="", metavar="WHY", help="kept in the history")
        act.add_argument("--release", default="", metavar="ID", help="only if this is the release at hand")
        if name in CONFIRMED:
            act.add_argument("--yes", action="store_true", help="do not ask")

    parsing_docket.add(verb, printing)

    history = verb("history", "what happened, newest first", printing)
    history.add_argument("service", nargs="?", default="", metavar="SERVICE")
    history.add_argument("--text", default="", metavar="WORD", help="in who, service, revision, action or detail")
    history.add_argument("--limit", type=count, default=50, metavar="N")
    history.add_argument("--evidence", action="store_true", help="what each rests on: metrics, what a check printed")

    logs = verb("logs", "what a service's hosts wrote last, the canary's and production's", printing)
    logs.add_argument("service", metavar="SERVICE")
    logs.add_argument("--lines", type=lines, default=20, metavar="N", help="of each host, 1 to 200; 20 unless told")
    logs.add_argument("--host", default="", metavar="NAME", help="of this host alone")

    metrics = verb("metrics", "what a metrics server can do for a large fleet")
    parts = metrics.add_subparsers(dest="part", metavar="rules", required=True, parser_class=Parser)
    said = "recording rules of the configured signals, for Prometheus or VictoriaMetrics"
    rules = parts.add_parser(
        "rules", help=said, description=said, parents=[common], allow_abbrev=False, prog="pithead metrics rules"
    )
    rules.add_argument("--to", metavar="DIR", help="write them there, with a test for promtool")

    _judge(
        verb("judge", "what the judge would do: on placebo canaries, made-up traffic, recorded looks"), common, printing
    )
    top.set_defaults(
        verb="room", config=None, state_dir=None, run_dir=None, read_only=False, ascii=False, color="auto", json=False
    )
    return top


ACTS = {
    "promote": "let a release into its next stage",
    "pause": "hold a release where it is; it is still judged, and rolled back if bad",
    "resume": "let a paused release go on",
    "rollback": "put the last stable revision back",
    "cancel": "take a queued release out",
}
CONFIRMED = frozenset({"promote", "rollback", "cancel"})


def _judge(judge: Parser, common: Parser, printing: Parser) -> None:
    parts = judge.add_subparsers(dest="part", metavar="placebo|simulate|replay", required=True, parser_class=Parser)

    def part(name: str, said: str) -> Parser:
        parents = [common, printing]
        prog = f"pithead judge {name}"
        made = parts.add_parser(name, help=said, description=said, parents=parents, allow_abbrev=False, prog=prog)
        made.add_argument("--seed", type=number, default=1, metavar="S", help="of every draw; 1 unless told")
        return made

    placebo = part(
        "placebo", "random hosts in recorded history as canaries of no release: how many would be rolled back?"
    )
    placebo.add_argument("service", metavar="SERVICE")
    placebo.add_argument("--canaries", type=count, default=400, metavar="N", help="how many; 400 unless told")
    placebo.add_argument(
        "--looks", type=count, default=480, metavar="N", help="of one canary, at most; 480 unless told"
    )

    simulate = part(
        "simulate", "good and bad releases on made-up traffic of a service's size: which are caught, how soon?"
    )
    simulate.add_argument("service", nargs="?", metavar="SERVICE", help="takes its size and its judge's settings")
    simulate.add_argument("--hosts", type=count, metavar="N", help="production hosts")
    simulate.add_argument("--canaries", type=count, metavar="N", help="canary hosts")
    simulate.add_argument("--datacenters", type=count, metavar="N")
    simulate.add_argument("--rps", type=positive, metavar="X", help="requests a second of one host")
    simulate.add_argument("--errors", type=ratio, metavar="RATIO", help="of requests that fail, as 0.005 or 0.5%%")
    simulate.add_argument("--tick", type=seconds, metavar="TIME", help="between two looks")
    simulate.add_argument("--looks", type=count, metavar="N", help="of one canary")
    simulate.add_argument("--baseline", action="store_true", help="with hosts restarted beside the canary")
    simulate.add_argument("--runs", type=count, default=40, metavar="N", help="canaries a fault; 40 unless told")
    simulate.add_argument("--faults", default="", metavar="A,B", help="some of those there are")

    replay = part("replay", "a recorded canary judged again, by its own settings or by others")
    replay.add_argument("release", metavar="SERVICE|RELEASE")
    replay.add_argument("--wave", type=wave, default=0, metavar="N", help="0 is the canary")
    replay.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as errors.tolerance=0.002")


def _common(*, places: bool = True) -> Parser:
    """Options of every verb, taken before the verb and after it; not told of where the sockets' place is fixed."""
    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--config", metavar="FILE", help="the configuration")
    run_dir = "where the controller's sockets are" if places else argparse.SUPPRESS
    common.add_argument("--run-dir", metavar="DIR", help=run_dir)
    common.add_argument("--read-only", action="store_true", help="look only; the controller refuses the rest")
    return common


def _printing() -> Parser:
    printing = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    printing.add_argument("--json", action="store_true", help="print JSON")
    return printing


def _screen() -> Parser:
    screen = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    screen.add_argument("--ascii", action="store_true", help="draw with ASCII only")
    screen.add_argument("--color", choices=COLORS, help="NO_COLOR counts as never")
    return screen


def count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"expected 1 to 1000000, got {plain(text, 40)}")
    return int(text)


def lines(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MOST_LINES:
        raise argparse.ArgumentTypeError(f"expected 1 to {MOST_LINES}, got {plain(text, 40)}")
    return int(text)


def number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise argparse.ArgumentTypeError(f"expected a whole number of at most 18 digits, got {plain(text, 40)}")
    return int(text)


def wave(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:9]) > 1_000_000:
        raise argparse.ArgumentTypeError(f"expected 0 to 1000000, got {plain(text, 40)}")
    return int(text[:9])


def page_seconds(text: str) -> float:
    if not text.isascii() or not text.isdigit() or not 2 <= int(text[:9]) <= 3_600:
        raise argparse.ArgumentTypeError(f"expected 2 to 3600, got {plain(text, 40)}")
    return float(text)


def positive(text: str) -> float:
    value = _float(text)
    if not 0 < value <= 1e7:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {plain(text, 40)}")
    return value


def ratio(text: str) -> float:
    """0.005 or 0.5%, above 0 and below 1."""
    value = _float(text[:-1]) / 100 if text.endswith("%") else _float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"expected a ratio as 0.005 or 0.5%, got {plain(text, 40)}")
    return value


def _float(text: str) -> float:
    try:
        return float(text) if text.isascii() else float("nan")
    except ValueError:
        return float("nan")


def seconds(text: str) -> float:
    """90, 90s, 4m, 2h or 1d, as seconds."""
    number, unit = (text[:-1], text[-1:]) if text[-1:] in _UNITS else (text, "s")
    if not number.isascii() or not number.isdigit() or not 1 <= int(number[:9]) <= 10_000_000:
        raise argparse.ArgumentTypeError(f"expected a time as 90s, 4m, 2h or 1d, got {plain(text, 40)}")
    return float(int(number) * _UNITS[unit])


_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
