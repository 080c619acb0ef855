"""`pithead metrics rules`: recording rules for the metrics server, and a test of them for promtool."""

from argparse import Namespace
from pathlib import Path

from adapters.config import ConfigErrors, load
from adapters.metrics.prometheus.queries import Signal
from adapters.metrics.prometheus.rules import recording_rules, rule_tests
from pithead.connect import config_path
from pithead.exits import Exit, Failure
from pithead.out import Out

RULES = "pithead.rules.yml"


def run(args: Namespace, out: Out) -> int:
    """Prints the rules, or with `--to DIR` writes them there with their test."""
    path = config_path(args.config)
    try:
        settings = load(path)
    except ConfigErrors as errors:
        raise Failure(str(path), str(errors.errors[0]), f"pithead check {path} tells all of it", Exit.USAGE) from errors
    its = settings.prometheus
    if its is None:
        raise Failure(str(path), "there is no [prometheus]", "the rules are for its server: add it", Exit.USAGE)
    signals: tuple[Signal, ...] = (*settings.signals, *its.queries)
    try:
        rules = recording_rules(signals, its.labels, every_s=max(round(its.scrape_s), 1))
        tests = rule_tests(signals, its.labels, RULES)
    except ValueError as error:
        raise Failure(str(path), str(error), "name them otherwise in [signals]", Exit.USAGE) from error
    if args.to is None:
        out.line(rules.rstrip("\n"))
        return Exit.DONE
    folder = Path(args.to)
    for name, text in ((RULES, rules), ("pithead.rules.test.yml", tests)):
        try:
            (folder / name).write_text(text, "utf-8")
        except OSError as error:
            raise Failure(
                str(folder / name), error.strerror or str(error), "name a folder that can be written"
            ) from error
        out.line(f"{folder / name}")
    out.line(f"try them: promtool check rules {folder / RULES} && promtool test rules {folder}/pithead.rules.test.yml")
    out.line("then name the rules in the server's rule_files, and set recorded = true in [prometheus]")
    return Exit.DONE
