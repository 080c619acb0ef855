"""The command `pithead`: parse, hand over to the verb's module, turn every end into a line and an exit code."""

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from importlib import import_module

from pipeline.commands import Refused
from pipeline.ports import ControllerLost, HistoryError
from pithead.exits import Exit, Failure, GateExit
from pithead.out import Out
from pithead.parser import ACTS, must_be_text, parser
from pithead.parsing_docket import PAPERS

VERBS = {
    "room": "pithead.verbs.room",
    "demo": "pithead.verbs.demo",
    "wallboard": "pithead.verbs.room",
    "controller": "pithead.verbs.controller",
    "check": "pithead.verbs.check",
    "judge": "pithead.verbs.judge",
    "metrics": "pithead.verbs.metrics",
}
"""Verbs with a `run(args, out) -> int`."""
ASKING = {
    "status": "pithead.verbs.status",
    "explain": "pithead.verbs.explain",
    "submit": "pithead.verbs.submit",
    "history": "pithead.verbs.history",
    "logs": "pithead.verbs.logs",
    "gate": "pithead.verbs.gate",
    "readiness": "pithead.verbs.readiness",
    "budget": "pithead.verbs.budget",
    "docket": "pithead.verbs.docket",
    **dict.fromkeys(ACTS, "pithead.verbs.act"),
    **dict.fromkeys(PAPERS, "pithead.verbs.paper"),
}
"""Verbs with an `async run(args, room, out) -> int`, where `room` is the controller's."""


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code (`Exit`)."""
    out, verb = Out(), ""
    try:
        args = parser().parse_args(argv)
        verb = args.verb
        must_be_text(args)
        return _dispatch(args, out)
    except Failure as failure:
        out.error(str(failure))
        return failure.code
    except Refused as refused:
        out.error(str(refused))
        return Exit.REFUSED
    except ControllerLost as lost:
        out.error(f"controller: {lost}: see whether it runs: pithead status")
        return Exit.UNKNOWN
    except HistoryError as error:
        out.error(str(error))
        return Exit.REFUSED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes standard output once more on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.BROKEN_PIPE
    except SystemExit:
        raise
    except Exception as error:  # noqa: BLE001 - the last line of defence: no locals, no control characters
        _fault(error, out)
        # CI must not take a fault for "it may deploy, with a warning".
        return GateExit.UNKNOWN if verb == "gate" else Exit.REFUSED


def _dispatch(args: Namespace, out: Out) -> int:
    if args.version:
        from importlib.metadata import version

        out.line(f"pithead {version('pithead')}")
        return Exit.DONE
    if args.verb in ASKING:
        import asyncio

        from pithead.connect import asked

        verb = import_module(ASKING[args.verb])
        return asyncio.run(asked(verb.run, args, out))
    code: int = import_module(VERBS[args.verb]).run(args, out)
    return code


def _fault(error: Exception, out: Out) -> None:
    from pithead.logs import trace

    for line in trace(error):
        out.error(line)
    out.error(f"a fault of pithead: {type(error).__name__}: report it with the lines above")
