"""Recording rules for the server, so that a look at a large fleet reads sums instead of making them.

Beyond some 200 services the sums are most of the server's work; as rules they are made once an interval, whoever
looks. The text goes into a file of the server's `rule_files`; `promtool check rules` and `promtool test rules` try it.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adapters.metrics.prometheus.queries import (
    SCRAPED,
    SCRAPED_WELL,
    Labels,
    OwnQuery,
    Signal,
    ask,
    scraped,
    scraped_well,
)
from adapters.metrics.source import Matcher, Op, SignalKind, SignalSource

_BUCKET = "_bucket"
_STRANGE = re.compile(r"[^a-zA-Z0-9_]")


def recording_rules(signals: Sequence[Signal], labels: Labels, *, every_s: int = 15) -> str:
    """YAML of one group; its rules are evaluated one after another, the times of scrapes around the signals.

    Raises `ValueError` where two signals would be recorded under one name.
    """
    names = [_record(signal) for signal in signals]
    if len(set(names)) < len(names):
        raise ValueError(f"two signals would be recorded under one name: {', '.join(sorted(names))}")
    rules = [(SCRAPED, scraped(labels))]
    rules += [(name, ask(signal, labels)) for name, signal in zip(names, signals, strict=True)]
    rules.append((SCRAPED_WELL, scraped_well(labels)))
    lines = ["groups:", '  - name: "pithead"', f"    interval: {every_s}s", "    rules:"]
    for name, expression in rules:
        lines += [f"      - record: {_string(name)}", f"        expr: {_string(expression)}"]
    return "\n".join(lines) + "\n"


def recorded(signals: Sequence[Signal], labels: Labels) -> tuple[tuple[Signal, ...], Labels]:
    """What `PrometheusMetrics` is given in place of these once their rules are in the server."""
    mine = tuple(SignalSource(one.name, one.kind, _record(one).removesuffix(_BUCKET)) for one in signals)
    return mine, Labels(labels.host, recorded=True)


def rule_tests(signals: Sequence[Signal], labels: Labels, rules_file: str) -> str:
    """YAML for `promtool test rules`: two hosts are scraped for five minutes, one of them with every series.

    Signals with a query of their own, and those whose patterns no value could be made up for, are not tried.
    `rules_file` is where the rules' text is, seen from this one.
    """
    rows = list(_rows([one for one in signals if isinstance(one, SignalSource)], labels))
    lines = [f"rule_files: [{_string(rules_file)}]", "evaluation_interval: 1m", "tests:", "  - interval: 1m"]
    lines.append("    input_series:")
    for row in rows:
        lines += [f"      - series: {_string(row.text)}", f"        values: {_string(row.values)}"]
    lines.append("    promql_expr_test:")
    for query, expected in _expected(signals, labels, rows):
        lines += [f"      - expr: {_string(query)}", "        eval_time: 5m", "        exp_samples:"]
        lines += [f"          - {{labels: {_string(text)}, value: {value:g}}}" for text, value in expected]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class _Row:
    """A series of the rules' test."""

    name: str
    labels: dict[str, str]
    a_minute: float = 0.0
    """Its increase; a series that does not increase is 1."""

    @property
    def text(self) -> str:
        return _series(self.name, self.labels)

    @property
    def values(self) -> str:
        return f"0+{self.a_minute:g}x10" if self.a_minute else "1x10"

    @property
    def at_5m(self) -> float:
        return 5 * self.a_minute or 1.0


def _rows(sources: Sequence[SignalSource], labels: Labels) -> Iterator[_Row]:
    common = _made_up(labels.extra)
    if common is None:
        return
    met: set[str] = set()
    for host in ("a", "b"):
        where = {**common, labels.host: host}
        yield _Row(labels.up, {**where, **(_made_up(labels.up_matchers) or {})})
        for number, source in enumerate(sources, 1):
            own = _made_up(source.matchers)
            if own is None or (source.matchers and host == "b"):
                continue
            for edge, part in (("0.1", 1.0), ("+Inf", 3.0)) if source.kind is SignalKind.HISTOGRAM else (("", 1.0),):
                name = source.family + (_BUCKET if edge else "")
                row = _Row(name, {**where, **own, **({"le": edge} if edge else {})}, number * part)
                if row.text not in met:
                    met.add(row.text)
                    yield row


def _expected(
    signals: Sequence[Signal], labels: Labels, rows: Sequence[_Row]
) -> Iterator[tuple[str, list[tuple[str, float]]]]:
    """(query, series with their values) five minutes on."""
    ups = [row for row in rows if row.name == labels.up]
    for name in (SCRAPED, SCRAPED_WELL) if ups else ():
        yield name, [(_series(name, row.labels), 300.0) for row in ups]
    for signal in signals:
        if isinstance(signal, OwnQuery):
            continue
        bucket = _BUCKET if signal.kind is SignalKind.HISTOGRAM else ""
        zero = signal.kind is SignalKind.COUNTER
        sums: dict[tuple[str, str], float] = {}
        for row in rows:
            if row.name == signal.family + bucket and (zero or signal.matches(row.labels)):
                key = row.labels[labels.host], row.labels.get("le", "")
                sums[key] = sums.get(key, 0.0) + (row.at_5m if signal.matches(row.labels) else 0.0)
        name = _record(signal)
        told = [
            (_series(name, {labels.host: host, **({"le": edge} if edge else {})}), value)
            for (host, edge), value in sums.items()
        ]
        if told:
            yield name, told


def _made_up(matchers: Sequence[Matcher]) -> dict[str, str] | None:
    """Labels that all of `matchers` match; None where none could be thought of."""
    labels: dict[str, str] = {}
    for matcher in matchers:
        simple = re.sub(r"[.\[(].*", "", matcher.value.split("|")[0])
        tries = ("", matcher.value, matcher.value.replace(".", "0"), simple, simple + "00", "x")
        wanted = tries if matcher.op in (Op.UNEQUAL, Op.UNLIKE) else tries[1:]
        fit = next((value for value in wanted if matcher.matches({matcher.label: value})), None)
        if fit is None:
            return None
        if fit:
            labels[matcher.label] = fit
    return labels if all(matcher.matches(labels) for matcher in matchers) else None


def _record(signal: Signal) -> str:
    name = f"pithead:{_STRANGE.sub('_', signal.name)}:sum"
    return name + _BUCKET if signal.kind is SignalKind.HISTOGRAM else name


def _series(name: str, labels: dict[str, str]) -> str:
    return f"{name}{{{','.join(f'{label}={_string(value)}' for label, value in sorted(labels.items()))}}}"


def _string(text: str) -> str:
    """A string of JSON is one of YAML and of PromQL too."""
    return json.dumps(text)
