"""Names asked of the machine's own resolver: /etc/hosts, DNS, and whatever else it is set up with."""

import asyncio
import socket
import threading
from contextlib import suppress

from adapters.names.lookup import NameFault

DEADLINE_S = 5.0
MISSING = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


class SystemResolver:
    """`Resolver`. A lookup cannot be ended: it has a thread of its own, and a place until it has ended by itself."""

    def __init__(self, at_once: int = 8, deadline_s: float = DEADLINE_S) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._deadline_s = deadline_s

    async def addresses(self, name: str) -> frozenset[str]:
        loop = asyncio.get_running_loop()
        ending: asyncio.Future[frozenset[str]] = loop.create_future()
        try:
            async with asyncio.timeout(self._deadline_s):
                await self._places.acquire()
        except TimeoutError:
            raise NameFault("the name server is busy with other names") from None

        def over(found: frozenset[str] | Exception) -> None:
            self._places.release()
            if ending.done():
                return
            if isinstance(found, Exception):
                ending.set_exception(found)
            else:
                ending.set_result(found)

        def ask() -> None:
            found: frozenset[str] | Exception
            try:
                found = _asked(name)
            except Exception as error:  # noqa: BLE001 - handed on to whoever awaits it
                found = error
            # A loop that is closed meanwhile wants nothing any more.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(over, found)

        try:
            threading.Thread(target=ask, name="resolving", daemon=True).start()
        except RuntimeError as error:
            self._places.release()
            raise NameFault(str(error)) from error
        try:
            async with asyncio.timeout(self._deadline_s):
                return await ending
        except TimeoutError:
            raise NameFault(f"no answer in {self._deadline_s:g} s") from None


def _asked(name: str) -> frozenset[str]:
    """Blocks for as long as the resolver likes. Raises `NameFault`."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        missing = error.errno in MISSING
        raise NameFault("no such name" if missing else error.strerror or str(error), missing=missing) from error
    except (OSError, UnicodeError) as error:
        raise NameFault(str(error)) from error
    # An address of a link has its interface behind it: fe80::1%eth0.
    return frozenset(str(each[4][0]).partition("%")[0] for each in found)
