"""What is severe, and what may be done then: `[X.emergency]`."""

from adapters.config.errors import Spot, nearest
from adapters.config.schema import Key, Section, Values
from adapters.config.values import name, one_of, seconds, sequence, unique
from pipeline.emergency import AfterRollback, EmergencyRules

EMERGENCY = Section(
    {
        "severities": Key(unique(sequence(name, least=1, most=20))),
        "severe": Key(unique(sequence(name, most=20))),
        "pass": Key(seconds("1m", "1d"), "pass_s"),
        "approvers": Key(unique(sequence(name, most=200))),
        "after_rollback": Key(one_of(AfterRollback)),
        "hotfix": Key(seconds("0s", "31d"), "hotfix_s"),
    }
)


def check(rules: EmergencyRules, said: Values, spot: Spot) -> None:
    """Report severe severities that are none, and warn of a lone approver; `said` is what is said at `spot`."""
    for place, severity in enumerate(rules.severe):
        if severity not in rules.severities and said:
            at = spot / "severe" / place if "severe" in said else spot / "severities"
            at.wrong(f'"{severity}" is severe, but no severity: {nearest(severity, rules.severities)}')
    if len(rules.approvers) == 1 and "approvers" in said:
        (spot / "approvers").warn(
            f"{rules.approvers[0]} alone may approve, and nobody what {rules.approvers[0]} asks for: name a second"
        )
