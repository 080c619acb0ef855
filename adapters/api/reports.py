"""What is known of a service's rules as JSON: gates, budgets, readiness, papers. Read laxly, as infinities travel."""

from functools import cache
from typing import Any

import msgspec

from pipeline.docket import Docket
from pipeline.readiness.report import ReadinessReport
from pipeline.slo.report import BudgetReport
from pipeline.view import GateReport


def gate(raw: bytes) -> GateReport:
    found: GateReport = _decoder(GateReport).decode(raw)
    return found


def budget(raw: bytes) -> BudgetReport:
    found: BudgetReport = _decoder(BudgetReport).decode(raw)
    return found


def readiness(raw: bytes) -> ReadinessReport:
    found: ReadinessReport = _decoder(ReadinessReport).decode(raw)
    return found


def docket(raw: bytes) -> Docket:
    found: Docket = _decoder(Docket).decode(raw)
    return found


@cache
def _decoder(kind: type) -> "msgspec.json.Decoder[Any]":
    # Made when first needed: most clients read none of these.
    return msgspec.json.Decoder(kind, strict=False)
