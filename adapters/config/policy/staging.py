"""STG: what holds for every staging, whole or partial."""

from collections.abc import Iterator

from adapters.config.endpoints import HERE
from adapters.config.policy.case import Case, Found, Rule
from pipeline.staging import Level
from pipeline.words import some


def mode_stated(case: Case) -> Iterator[Found]:
    if not case.said("staging", "mode"):
        yield Found(
            "nobody says whether staging is a full copy or talks to production",
            'say mode = "full" or "partial" in [organisation.staging], or in the service\'s own',
            case.at("staging"),
        )


def pools_apart(case: Case) -> Iterator[Found]:
    staging, production = case.service.staging, case.service.production
    names = case.company.names
    machines = {at.machine: host.name for host in production for at in names.places(host.address)}
    logins = {host.ssh: host.name for host in production if host.ssh}
    for host in staging:
        here = [at.machine for at in names.places(host.address) if at.machine not in HERE]
        shared = next((machines[each] for each in here if each in machines), "") or logins.get(host.ssh)
        if shared:
            yield Found(
                f"staging host {host.name} and production host {shared} are one machine",
                "put staging on machines of its own",
                case.key("hosts"),
            )
            break
    yield from _apart_from_others(case)
    if case.means.seat is not None and case.means.seat.staging:
        yield Found(
            "staging hosts sit in production's backend, where users reach them",
            "give staging a backend of its own and leave balancer.staging at false",
            case.at("balancer", "staging"),
        )


def _apart_from_others(case: Case) -> Iterator[Found]:
    """A host that another service has, or that is called as production, once; a shared machine only where none is."""
    known, names = case.company.production, case.company.names
    for host in case.service.staging:
        for at in names.places(host.address):
            if stated := known.stated.get(at):
                yield Found(
                    f"staging host {host.name} is stated as {stated.said}: {host.address}",
                    "state an address of production there, or give staging hosts of its own",
                    case.key("hosts"),
                )
                return
            if (owner := known.endpoints.get(at)) and owner.owner not in ("", case.service.name):
                yield Found(
                    f"staging host {host.name} is {owner.said}, in production: {host.address}",
                    "give staging hosts of its own",
                    case.key("hosts"),
                )
                return
    for host in case.service.staging:
        near = {
            owner: whose
            for at in names.places(host.address)
            for owner, whose in known.machines.get(at.machine, {}).items()
        }
        other = next((whose for owner, whose in near.items() if owner != case.service.name), None)
        if other:
            yield Found(
                f"staging host {host.name} is on a machine of production ({other.said})",
                "put staging on machines of its own",
                case.key("hosts"),
                Level.WARNING,
            )
            return


def same_image(case: Case) -> Iterator[Found]:
    its = case.service.rules.staging
    if its.image and its.production_image and its.image != its.production_image:
        yield Found(
            f'staging runs the image "{its.image}", and production "{its.production_image}"',
            "run one image in both",
            case.at("staging", "image"),
        )
    elif not (its.image and its.production_image):
        yield Found(
            "images of staging and production are not both stated: nobody can tell whether they are the same",
            "say image and production_image in [organisation.staging]",
            case.at("staging", "image") if its.image else case.at("staging", "production_image"),
            Level.WARNING,
        )
    here, there = set(its.keys), set(its.production_keys)
    if here == there:
        return
    for names, where, key in ((there - here, "staging", "keys"), (here - there, "production", "production_keys")):
        if names:
            yield Found(
                f"configuration keys that {where} lacks: {some(sorted(names), 4)}",
                "give both the same keys; their values may differ",
                case.at("staging", key),
            )


RULES = (
    Rule("STG-01", Level.ERROR, "the mode of staging, full or partial, is stated", mode_stated),
    Rule(
        "STG-02",
        Level.ERROR,
        "staging and production have no host in common",
        pools_apart,
        kept="names and addresses are taken once in a file (adapters.config.hosts) and among what discovery finds "
        "(adapters.discovery.sift); it is asked again whenever hosts are found (adapters.roster)",
    ),
    Rule(
        "STG-03",
        Level.ERROR,
        "what is promoted is the very artifact that staging tested",
        kept="one release is one revision from staging on, its checks belong to it (pipeline.lifecycle), and a build "
        "that is fetched has one checksum (adapters.hosts.ssh.artifacts)",
    ),
    Rule("STG-04", Level.ERROR, "staging runs production's image and has the same configuration keys", same_image),
)
