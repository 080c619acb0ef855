"""`pithead check`: read the configuration, and tell every error and every warning in it at once.

What the rules for staging, canary and observation find is told like the rest: a controller starts with it, but holds
releases. With --reach, everything that the file names is reached once instead.
"""

from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from adapters.config import ConfigError, ConfigErrors, Settings, load
from pipeline.model import Promotion
from pipeline.staging import Finding, Level
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
    found = _by_finding(settings)
    told = {level: [_line(settings, each, of) for each, of in found.items() if each.level is level] for level in Level}
    if args.reach:
        from pithead.reaching.verb import reached

        warned = replace(settings, warnings=(*settings.warnings, *told[Level.ERROR], *told[Level.WARNING]))
        return reached(warned, args.service, out, as_json=args.json)
    from adapters.config.recordings import faults

    wrong, warnings = [*faults(settings), *told[Level.ERROR]], [*settings.warnings, *told[Level.WARNING]]
    summary = _summary(settings)
    if args.json:
        findings = [{**_fields(each), "services": of} for each, of in found.items()]
        rest = {"errors": wrong, "warnings": warnings, "findings": findings}
        out.json({"file": str(path), "ok": not wrong, **rest, **summary})
    else:
        _print(settings, summary, wrong, warnings, out)
    return Exit.USAGE if wrong else Exit.DONE


def _print(
    settings: Settings,
    summary: dict[str, object],
    errors: Sequence[ConfigError],
    warnings: Sequence[ConfigError],
    out: Out,
) -> None:
    for error in sorted(errors, key=lambda error: error.line):
        out.error(str(error))
    is_so = "a controller starts with it, but holds releases until the errors are mended" if errors else "no errors"
    out.line(f"{settings.path}: {is_so}")
    for name, value in {**summary, **_found(settings)}.items():
        out.line(f"  {_told(name, value)}")
    for warning in sorted(warnings, key=lambda warning: warning.line):
        out.line(f"warning: {warning}")


def _by_finding(settings: Settings) -> dict[Finding, list[str]]:
    """The services that each finding is about: what the organisation says for all of them is told once."""
    found: dict[Finding, list[str]] = {}
    for service in settings.fleet.services.values():
        for each in service.findings:
            found.setdefault(each, []).append(service.name)
    return found


def _line(settings: Settings, finding: Finding, services: list[str]) -> ConfigError:
    line = finding.where.rpartition(":")[2]
    said = f"{finding.why}: {finding.mend} ({some(services, 4)})"
    return ConfigError(str(settings.path), int(line) if line.isdecimal() else 0, finding.rule, said)


def _fields(finding: Finding) -> dict[str, str]:
    return {
        "rule": finding.rule,
        "level": finding.level.value,
        "why": finding.why,
        "mend": finding.mend,
        "where": finding.where,
    }


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
