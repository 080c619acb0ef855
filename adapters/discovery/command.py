"""Hosts that a command of the company's own knows of: it writes the JSON of file_sd to standard output."""

import asyncio
from collections.abc import Sequence

from adapters.discovery.found import Found, Look, SourceFault
from adapters.discovery.labels import DEFAULT_NAMES, LabelNames
from adapters.discovery.paced import Paced
from adapters.discovery.run import output_of
from adapters.discovery.sd_json import LIMIT, hosts_in
from adapters.metrics.source import Matcher
from pipeline.ports import Clock
from pipeline.text import plain


class CommandTargets:
    """`HostSource`: runs `arguments`, never by a shell, at most every `every_s` seconds and for `deadline_s`."""

    def __init__(
        self,
        arguments: Sequence[str],
        clock: Clock,
        names: LabelNames = DEFAULT_NAMES,
        matchers: Sequence[Matcher] = (),
        *,
        every_s: float = 60.0,
        deadline_s: float = 20.0,
    ) -> None:
        self.name = plain(" ".join(arguments), 100)
        self._arguments = tuple(arguments)
        self._names = names
        self._matchers = tuple(matchers)
        self._deadline_s = deadline_s
        self._paced = Paced(self._run, clock, every_s)

    async def look(self) -> Look:
        return await self._paced.look()

    async def _run(self) -> Found | SourceFault:
        output = await output_of(self._arguments, self._deadline_s, LIMIT)
        if isinstance(output, SourceFault):
            return output
        return await asyncio.to_thread(hosts_in, output, self._names, self._matchers)
