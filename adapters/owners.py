"""Whose a host is, while hosts come and go."""

from collections.abc import Iterable, Mapping

from pipeline.model import Host


class Owners:
    """Service names by host name. Of a host that is gone the last owner is remembered, as work on it may go on."""

    def __init__(self, hosts: Mapping[str, Iterable[Host]]) -> None:
        self._services: dict[str, str] = {}
        self.update(hosts)

    def update(self, hosts: Mapping[str, Iterable[Host]]) -> None:
        for service, its in hosts.items():
            self._services.update({host.name: service for host in its})

    def of(self, host: Host) -> str:
        """Empty for a host that nobody has spoken of."""
        return self._services.get(host.name, "")
