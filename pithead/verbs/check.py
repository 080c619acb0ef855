"""`pithead check`: read the configuration, and tell every error and every warning in it at once.

With --reach, everything that it names is reached once after that.
"""

from argparse import Namespace
from collections import Counter

from adapters.config import ConfigErrors, Settings, load
from pipeline.model import Promotion
from pipeline.words import some
from pithead.connect import config_path
from pithead.exits import Exit, Failure
from pithead.out import Out


def run(args: Namespace, out: Out) -> int:
    if args.service and not args.reach:
        raise Failure("--service", "it narrows what is reached", "say --reach with it", Exit.USAGE)
    path = config_path(args.file or args.config)
    try:
        settings = load(path)
    except ConfigErrors as errors:
        if args.json:
            out.json({"file": str(path), "ok": False, "errors": errors.errors})
        for error in () if args.json else errors.errors:
            out.error(str(error))
        return Exit.USAGE
    if args.reach:
        from pithead.reaching.verb import reached

        return reached(settings, args.service, out, as_json=args.json)
    summary = _summary(settings)
    if args.json:
        out.json({"file": str(path), "ok": True, "errors": [], "warnings": settings.warnings, **summary})
    else:
        out.line(f"{path}: no errors")
        for name, value in {**summary, **_found(settings)}.items():
            out.line(f"  {_told(name, value)}")
        for warning in settings.warnings:
            out.line(f"warning: {warning}")
    return Exit.DONE


def _told(name: str, value: object) -> str:
    """A number with its unit where the name ends in one: "looked at every 1 s"."""
    words = name.replace("_", " ")
    return f"{words.removesuffix(' s')} {value:g} s" if isinstance(value, float) else f"{words}: {value}"


def _found(settings: Settings) -> dict[str, object]:
    """What stands in place of numbers of hosts where discovery finds them, and nothing has been asked yet."""
    services = settings.fleet.services.values()
    without = [service.name for service in services if not service.production]
    if not settings.discovery or not without:
        return {}
    by = f"found by {some([source.name for source in settings.discovery])} (discovery)"
    if len(without) == len(services):
        of_all = ("production_hosts", "staging_hosts", "datacenters")
        return dict.fromkeys(of_all[:1] if any(service.hosts for service in services) else of_all, by)
    number = sum(len(service.production) for service in services)
    return {"production_hosts": f"{number}; those of {some(without)} are {by}"}


def _summary(settings: Settings) -> dict[str, object]:
    """What was read, in numbers that a person would check."""
    services = settings.fleet.services.values()
    hosts = [host for service in services for host in service.hosts]
    datacenters = Counter(host.datacenter for host in hosts)
    by_hand = [each.name for each in services if each.rules.promotions.production is Promotion.OPERATOR]
    return {
        "services": len(services),
        "production_hosts": sum(len(service.production) for service in services),
        "staging_hosts": sum(len(service.staging) for service in services),
        "datacenters": ", ".join(f"{name} {count}" for name, count in sorted(datacenters.items())),
        "staging_checks": sum(len(service.rules.checks) for service in services),
        "promoted_to_production_by_hand": some(by_hand, 8) or "none",
        "looked_at_every_s": settings.fleet.tick_s,
    }
