"""What a check has found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    passed: bool
    detail: str
    peak_rps: float | None = None
    output: tuple[str, ...] = ()
