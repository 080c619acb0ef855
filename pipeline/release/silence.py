"""How many hosts may be out of reach while a release goes on: nobody knows what those run that do not answer."""

from collections.abc import Collection

from pipeline.lifecycle import CANARY, PRODUCTION, Rollout
from pipeline.model import Host, Service
from pipeline.release.targets import targets


def too_many(service: Service, rollout: Rollout | None, silent: Collection[str]) -> bool:
    """Whether too many hosts of a pool are in `silent`: half of it, or more than a release may leave behind in it.

    That is `max_unreachable` in staging and in each wave. Hosts that the release is about just now are left out, as
    its "hosts" gate asks about them, and so is staging once it is through.
    """
    wanted = targets(service, rollout)
    asked = wanted.beside.union(wanted.step)
    most = service.rules.deploy.max_unreachable
    through = rollout is not None and rollout.phase in CANARY | PRODUCTION
    waves = max(len(service.rules.waves), 1)
    return _over(service.production, asked, silent, most * waves) or (
        not through and _over(service.staging, asked, silent, most)
    )


def _over(pool: Collection[Host], asked: Collection[str], silent: Collection[str], most: int) -> bool:
    lost = sum(host.name in silent and host.name not in asked for host in pool)
    return lost > most or (lost > 0 and 2 * lost >= len(pool))
