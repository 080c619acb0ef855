"""A load test: a command of the company's own, and the figures that it prints at its end, held against limits.

Read is the last JSON of the output, on one line or on many: one flat object (any tool's script can print it),

    {"rps": 1250.5, "p99_s": 0.18, "errors": 0.002}

k6's end-of-test summary (`handleSummary` or `--summary-export /dev/stdout`), or locust's `--json`. Where a limit is
set and its figure is not printed, or nothing was answered, the test fails: no data is never a pass.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.checks.command import last_words, ran_command
from adapters.checks.finding import Finding
from adapters.checks.jsons import any_json
from pipeline.checks import CheckRule, LoadRule
from pipeline.model import Service

KEPT = 512 * 1024
"""Bytes of the end of the output: a summary of k6 has some tens of thousands."""
MOST_TRIED = 200
"""Lines from the end on which a summary may begin."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a load test reached; None is not known."""

    rps: float | None = None
    p99_s: float | None = None
    errors: float | None = None
    """Ratio of requests."""


async def run_load(check: CheckRule, service: Service, revision: str) -> Finding:
    """Passes if the command ends with 0 and its figures keep the limits."""
    ran = await ran_command(check, service, revision, KEPT)
    found = figures(ran.output)
    peak_rps = found.rps if found else None
    if not ran.passed:
        said = f"{ran.ended}; {_told(found)}" if found else ran.said
        return Finding(False, said, peak_rps, last_words(ran.output))
    wrong = faults(check.load or LoadRule(), found)
    if wrong:
        return Finding(False, "; ".join(wrong), peak_rps, last_words(ran.output))
    return Finding(True, _told(found) if found else ran.said, peak_rps)


def faults(rule: LoadRule, found: Figures | None) -> list[str]:
    """What is beyond the limits, or not known, in words."""
    if found is not None and found.rps == 0:
        return ["no request was answered"]
    its = found or Figures()
    wrong: list[str] = []
    if rule.least_rps is not None:
        if its.rps is None:
            wrong.append(f"no rate in its JSON, expected at least {rule.least_rps:g}/s")
        elif its.rps < rule.least_rps:
            wrong.append(f"{its.rps:.1f}/s, expected at least {rule.least_rps:g}/s")
    if rule.most_p99_s is not None:
        limit = f"at most {rule.most_p99_s * 1000:g} ms"
        if its.p99_s is None:
            wrong.append(f"no p99 in its JSON, expected {limit} (k6: --summary-trend-stats 'p(99)')")
        elif its.p99_s > rule.most_p99_s:
            wrong.append(f"p99 {its.p99_s * 1000:.4g} ms, expected {limit}")
    if rule.most_errors is not None:
        if its.errors is None:
            wrong.append(f"no errors in its JSON, expected at most {rule.most_errors * 100:g} %")
        elif its.errors > rule.most_errors:
            wrong.append(f"{its.errors * 100:.3g} % errors, expected at most {rule.most_errors * 100:g} %")
    if wrong and found is None:
        return [
            'no JSON in its output to hold its limits against: let it print {"rps": ..., "p99_s": ..., "errors": ...}'
        ]
    return wrong


def figures(output: bytes) -> Figures | None:
    """Of the last JSON in `output` that has any."""
    lines = output.splitlines()
    end = max((number for number, line in enumerate(lines) if line.strip()[-1:] in (b"}", b"]")), default=-1)
    for start in range(end, max(-1, end - MOST_TRIED), -1):
        if lines[start].strip()[:1] in (b"{", b"["):
            found = _read(any_json(lines[start].strip()))
            if found is not None:
                return found
    # On many lines: only its first and last brackets stand at the margin.
    for start in range(end, -1, -1):
        if lines[start].rstrip() in (b"{", b"["):
            return _read(any_json(b"\n".join(lines[start : end + 1])))
    return None


def _read(value: Any) -> Figures | None:
    if isinstance(value, dict):
        known = _k6(value["metrics"]) if isinstance(value.get("metrics"), dict) else _flat(value)
        return known if known != Figures() else None
    return _locust(value) if isinstance(value, list) else None


def _flat(value: Mapping[str, Any]) -> Figures:
    return Figures(_number(value.get("rps")), _number(value.get("p99_s")), _ratio(value.get("errors")))


def _k6(metrics: Mapping[str, Any]) -> Figures:
    """Both forms: `handleSummary` has the values one level deeper than `--summary-export`."""

    def of(metric: str, *names: str) -> float | None:
        its = metrics.get(metric)
        its = its.get("values", its) if isinstance(its, dict) else None
        numbers = [_number(its.get(name)) for name in names] if isinstance(its, dict) else []
        return next((number for number in numbers if number is not None), None)

    p99_ms = of("http_req_duration", "p(99)")
    return Figures(
        of("http_reqs", "rate"),
        None if p99_ms is None else p99_ms / 1000,
        _ratio(of("http_req_failed", "rate", "value")),
    )


def _locust(entries: Sequence[Any]) -> Figures | None:
    """One entry an endpoint: requests, failures, and how many took how many milliseconds."""
    total = failed = 0.0
    starts: list[float] = []
    ends: list[float] = []
    took: dict[float, float] = {}
    for entry in entries:
        if not isinstance(entry, dict):
            return None
        requests, failures = _number(entry.get("num_requests")), _number(entry.get("num_failures"))
        start, end = _number(entry.get("start_time")), _number(entry.get("last_request_timestamp"))
        if requests is None or failures is None:
            return None
        total, failed = total + requests, failed + failures
        starts += [] if start is None else [start]
        ends += [] if end is None else [end]
        times = entry.get("response_times")
        for ms, count in times.items() if isinstance(times, dict) else ():
            number = _number(count)
            if number is None or not ms.replace(".", "", 1).isdecimal():
                return None
            took[float(ms)] = took.get(float(ms), 0.0) + number
    if not total:
        return Figures(rps=0.0)
    lasted_s = max(ends) - min(starts) if starts and ends else 0.0
    return Figures(total / lasted_s if lasted_s > 0 else None, _quantile_s(took, 0.99), min(1.0, failed / total))


def _quantile_s(took_ms: Mapping[float, float], q: float) -> float | None:
    """The least time within which the ratio `q` of all was done."""
    wanted = q * sum(took_ms.values())
    seen = 0.0
    for ms in sorted(took_ms):
        seen += took_ms[ms]
        if seen >= wanted:
            return ms / 1000
    return None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _ratio(value: object) -> float | None:
    number = _number(value)
    return number if number is not None and number <= 1 else None


def _told(found: Figures) -> str:
    said = []
    if found.rps is not None:
        said.append(f"{found.rps:.1f}/s")
    if found.p99_s is not None:
        said.append(f"p99 {found.p99_s * 1000:.4g} ms")
    if found.errors is not None:
        said.append(f"{found.errors * 100:.3g} % errors")
    return ", ".join(said)
