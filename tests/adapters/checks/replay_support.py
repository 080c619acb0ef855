"""A recording in a file, hosts that hear every word, and a service of them."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.checks import CheckKind, CheckRule, ReplayRule
from pipeline.model import Host, Pool, Rules, Service
from pipeline.staging import StagingMode, StagingRules

LONG_S = 30.0


def ok(body: object, status: int = 200) -> bytes:
    raw = json.dumps(body).encode()
    return f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n".encode() + raw


CART = {"path": "/cart/7", "status": 200, "answer": {"total": 12.0}, "ms": 80}
LIST = {"path": "/cart?full=1", "status": 200, "answer": [1, 2], "ms": 40}
ANSWERS = {"/cart/7": ok({"total": 12.0}), "/cart?full=1": ok([1, 2])}


@dataclass(frozen=True)
class Heard:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Answering:
    """A host that answers by path; what it does not know is 404."""

    answers: dict[str, bytes]
    heard: list[Heard] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, path, _ = head[0].split(" ")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            self.heard.append(Heard(method, path, headers, body))
            self.before()
            writer.write(self.answers.get(path, b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n"))
            await writer.drain()


def service(staging: tuple[str, ...], production: tuple[str, ...] = (), rules: StagingRules | None = None) -> Service:
    hosts = [Host(f"stg-{number}", address, Pool.STAGING, "fra1") for number, address in enumerate(staging, 1)]
    hosts += [Host(f"cart-{number}", address, Pool.PRODUCTION, "fra1") for number, address in enumerate(production, 1)]
    return Service("cart", tuple(hosts), "r1", rules=Rules(staging=rules or StagingRules()))


def partial(**fields: object) -> StagingRules:
    return replace(StagingRules(StagingMode.PARTIAL, header="X-Environment"), **fields)


@dataclass(frozen=True)
class Tape:
    """Writes recordings and the checks that play them."""

    folder: Path

    def lines(self, *requests: Mapping[str, object], name: str = "cart.jsonl") -> str:
        path = self.folder / name
        path.write_text("".join(json.dumps(request) + "\n" for request in requests))
        return str(path)

    def check(self, recording: str, deadline_s: float = LONG_S, **fields: object) -> CheckRule:
        rule = replace(ReplayRule(recording, rps=1000.0), **fields)
        return CheckRule("traffic", CheckKind.REPLAY, replay=rule, deadline_s=deadline_s)
