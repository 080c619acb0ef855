"""`pithead judge placebo|simulate|replay`: numbers are worked out in this process, by what the controller recorded."""

import asyncio
from argparse import Namespace
from importlib import import_module

from pithead.connect import asked
from pithead.out import Out

PARTS = {
    "placebo": "pithead.judging.placebo",
    "simulate": "pithead.judging.simulate",
    "replay": "pithead.judging.replay",
}
"""Each with an `async run(args, room, out) -> int`."""


def run(args: Namespace, out: Out) -> int:
    part = import_module(PARTS[args.part])
    if args.part == "simulate" and args.service is None:
        # Made-up traffic of a size that was typed needs no controller.
        code: int = asyncio.run(part.run(args, None, out))
        return code
    return asyncio.run(asked(part.run, args, out))
