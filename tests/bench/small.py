"""Chart, judge, metrics pages and starts of verbs, each beside something else: `python -m tests.bench.small`."""

import argparse
import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from textual.renderables.sparkline import Sparkline

from adapters.metrics.plan import PagePlan
from adapters.metrics.source import SignalKind, SignalSource, parse_selector
from pipeline.judge.look import Group, HostLook, Look
from pipeline.judge.sequential import SequentialJudge
from pipeline.judge.trial import Prior, Trial
from pipeline.model import JudgeRules
from pipeline.signals import Histogram, Sample
from tests.bench.company import EDGES, METRICS, SHAPE
from tests.bench.tables import Spread, ms, show, times
from tui.widgets.chart import BRAILLE, Series, axis, chart

WIDTH, HEIGHT = 80, 15


def cpu(act: Callable[[], object], rounds: int) -> Spread:
    """CPU seconds of each of `rounds` calls, after one that is not counted."""
    act()
    spent = []
    for _ in range(rounds):
        before = time.process_time()
        act()
        spent.append(time.process_time() - before)
    return Spread(tuple(spent))


def wave(points: int, height: float) -> tuple[float, ...]:
    return tuple(height + math.sin(at / 17) + math.sin(at / 3) / 4 for at in range(points))


def charts(rounds: int) -> list[list[str]]:
    rows = []
    for points in (120, 3_600):
        series = Series(wave(points, 5.0), wave(points, 4.0), wave(points, 6.0))

        def draw(series: Series = series) -> None:
            chart(series, WIDTH, HEIGHT, axis(series), BRAILLE, unit="s")

        console = Console(file=StringIO(), width=WIDTH, color_system="truecolor", force_terminal=True)

        def spark(series: Series = series, console: Console = console) -> None:
            for _ in range(HEIGHT):
                list(console.render(Sparkline([float(v or 0) for v in series.canary], width=WIDTH)))

        mine, other = cpu(draw, rounds), cpu(spark, rounds)
        what = f"chart {WIDTH} x {HEIGHT}, canary over a band, {points:,} points"
        rows.append(
            [what, ms(mine), f"{HEIGHT} lines of Textual's Sparkline", ms(other), times(mine.median, other.median)]
        )
    return rows


def page(routes: int) -> str:
    """A host's metrics: requests by route and code, and a latency histogram by route."""
    lines = ["# HELP http_requests_total Requests.", "# TYPE http_requests_total counter"]
    for route in range(routes):
        lines += [
            f'http_requests_total{{route="/r{route}",code="{code}"}} {route * 31 + code}' for code in (200, 404, 500)
        ]
    lines += ["# HELP http_request_seconds Latency.", "# TYPE http_request_seconds histogram"]
    for route in range(routes):
        for edge, part in zip(EDGES, SHAPE, strict=True):
            le = "+Inf" if edge == math.inf else f"{edge:g}"
            lines.append(f'http_request_seconds_bucket{{route="/r{route}",le="{le}"}} {round(10_000 * part)}')
        lines.append(f'http_request_seconds_sum{{route="/r{route}"}} {route * 7.25}')
        lines.append(f'http_request_seconds_count{{route="/r{route}"}} 10000')
    lines += ["# TYPE process_resident_memory_bytes gauge", "process_resident_memory_bytes 4.1e+08", ""]
    return "\n".join(lines)


def plan() -> PagePlan:
    wanted = (
        ("requests", SignalKind.COUNTER, "http_requests_total"),
        ("errors", SignalKind.COUNTER, 'http_requests_total{code=~"5.."}'),
        ("latency", SignalKind.HISTOGRAM, "http_request_seconds"),
        ("memory", SignalKind.GAUGE, "process_resident_memory_bytes"),
    )
    return PagePlan([SignalSource(name, kind, *parse_selector(text)) for name, kind, text in wanted])


def pages(rounds: int) -> list[list[str]]:
    rows = []
    for routes in (1, 300):
        text, reads = page(routes), plan()
        mine = cpu(lambda text=text, reads=reads: reads.signals(text), rounds)
        other = cpu(lambda text=text: list(text_string_to_metric_families(text)), rounds)
        what = f"metrics page, {sum(not line.startswith('#') for line in text.splitlines()):,} samples, 4 signals"
        rows.append([what, ms(mine), "prometheus_client", ms(other), times(mine.median, other.median)])
    return rows


def sample(requests: float, hosts: int) -> Sample:
    counters = {"requests": requests, "errors": requests / 500, "cpu": requests / 100}
    parts = (0.0, *SHAPE)
    counts = tuple(requests * (after - before) for before, after in zip(parts, SHAPE, strict=False))
    return Sample(5.0 * hosts, counters, {"memory": 400e6}, {"latency": Histogram(EDGES, counts)})


def looks(rounds: int) -> list[list[str]]:
    rows = []
    for canaries, hosts in ((2, 19), (8, 100)):
        names = tuple(f"h{n}" for n in range(hosts))
        places = {name: f"dc{at % 3}" for at, name in enumerate(names)}
        rules = JudgeRules(metrics=METRICS, warmup_s=0.0)
        trial = Trial("s-1", 0, rules, 5.0, 17_280, places, names[:canaries], (), names[canaries:])
        groups = [Group.CANARY] * canaries + [Group.PRODUCTION] * (hosts - canaries)
        seen = {
            name: HostLook(group, sample(200.0 + at, 1))
            for at, (name, group) in enumerate(zip(names, groups, strict=True))
        }
        look, judge = Look(5.0, seen, canaries), SequentialJudge()
        evidence = judge.begin(trial, Prior())
        for _ in range(100):
            evidence, _ = judge.look(evidence, look)
        mine = cpu(lambda judge=judge, evidence=evidence, look=look: judge.look(evidence, look), rounds)
        what = f"judge, one look at {len(METRICS)} metrics, {canaries} canaries of {hosts} hosts"
        rows.append([what, ms(mine), "limit", "5", times(mine.median, 0.005)])
    return rows


def started(command: list[str], rounds: int, code: int = 0) -> Spread:
    """CPU seconds of a program from start to end; one that ends in another way than `code` is not measured."""
    spent = []
    for turn in range(-1, rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if ended.returncode != code:
            raise SystemExit(f"{' '.join(command)}: ended with {ended.returncode}: {ended.stderr.strip()[-300:]}")
        if turn >= 0:
            spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return Spread(tuple(spent))


def starts(rounds: int) -> list[list[str]]:
    pithead = str(Path(sys.executable).with_name("pithead"))
    nobody = ["--config", "config.toml", "--run-dir", "/nonexistent"]
    bare = started([sys.executable, "-c", "pass"], rounds)
    rows = []
    for what, words, code in (
        ("--help", ["--help"], 0),
        ("check config.toml", ["check", "config.toml"], 0),
        ("status, no controller", [*nobody, "status"], 3),
    ):
        mine = started([pithead, *words], rounds, code)
        said = f"pithead {what}, start to end"
        rows.append([said, ms(mine), "python -c pass", ms(bare), times(mine.median, bare.median)])
    return rows


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=60)
    args = asked.parse_args()
    rows = charts(args.rounds) + looks(args.rounds) + pages(max(args.rounds // 4, 5)) + starts(max(args.rounds // 6, 5))
    show("Small figures: CPU ms, median / p95", ("", "ours", "beside", "theirs", "ours : theirs"), rows)


if __name__ == "__main__":
    main()
