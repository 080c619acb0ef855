"""Staging isolation: a configuration in which a build could do harm, or that proves nothing, releases nothing."""

from collections.abc import Sequence

from pipeline.gates import Answer, Gate
from pipeline.model import Service
from pipeline.policy.wording import and_more
from pipeline.staging import Finding, Level

NAME = "isolation"


def isolation(service: Service) -> Gate:
    """Fails by the first error that the rules for staging, canary and observation found; unknown if one cannot tell."""
    errors = [one for one in service.findings if one.level is Level.ERROR]
    unknown = [one for one in service.findings if one.level is Level.UNKNOWN]
    warnings = [one for one in service.findings if one.level is Level.WARNING]
    if errors:
        lifts = f"when it is mended: {errors[0].mend}"
        return Gate(NAME, Answer.FAIL, f"{_said(errors[0])}{_more(errors)}", lifts=lifts)
    if unknown:
        lifts = f"by itself, once it is known: {unknown[0].mend}"
        return Gate(NAME, Answer.UNKNOWN, f"{_said(unknown[0])}{_more(unknown)}", unknown[0].since, lifts=lifts)
    why = f"{service.rules.staging.mode} staging, no error in its configuration"
    return Gate(NAME, Answer.PASS, why, warns=f"{_said(warnings[0])}{_more(warnings)}" if warnings else "")


def _said(finding: Finding) -> str:
    where = f" ({finding.where})" if finding.where else ""
    return f"{finding.rule}{where}: {finding.why}"


def _more(found: Sequence[Finding]) -> str:
    more = and_more(found)
    return f";{more}: pithead check" if more else ""
