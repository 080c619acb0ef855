"""How the demo's processes end: told to by a signal, or because whoever started them is gone."""

import asyncio
import os
import signal
import stat

READY = b"ready\n"


def say_ready() -> None:
    """Tell whoever started this program, on standard output, that it does its work now."""
    os.write(1, READY)


async def until_told() -> bool:
    """Returns on SIGTERM or SIGINT, or once standard input, if it is a pipe, is closed at its other end.

    Then True: a parent that is killed cannot tell its children anything, but its end of the pipe closes
    all the same.
    """
    loop = asyncio.get_running_loop()
    told: asyncio.Future[bool] = loop.create_future()

    def tell(orphaned: bool) -> None:
        if not told.done():
            told.set_result(orphaned)

    def read() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            tell(True)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, tell, False)
    kind = os.fstat(0).st_mode
    piped = stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind)
    if piped:
        loop.add_reader(0, read)
    orphaned = await told
    if piped:
        loop.remove_reader(0)
    return orphaned
