"""Who waits for a metrics server hears of it when the server answers again."""

import asyncio
import json

import pytest

from adapters.metrics.prometheus.answers import MetricsUnavailable
from adapters.metrics.prometheus.client import PrometheusClient
from adapters.metrics.prometheus.returning import LEAST_S
from adapters.metrics.prometheus.settings import ServerSettings
from pithead.clock import SystemClock
from tests.adapters.metrics.prometheus.answering import vector

LONG_S = 15.0
EVER_S = 1e9


class Patient(SystemClock):
    """The least wait is over at once, any other never."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if seconds > LEAST_S:
            await asyncio.Event().wait()


async def test_a_rest_ends_when_a_server_that_was_gone_answers_again_and_only_then(peers, http_answer) -> None:
    said = [500]

    def reply(_method: str, _path: str, _body: bytes) -> bytes:
        return http_answer(said[0], json.dumps(vector(())) if said[0] == 200 else "down")

    clock = Patient()
    client = PrometheusClient(ServerSettings(f"http://{await peers.answering(reply)}/"), clock)
    rest = asyncio.ensure_future(client.returning.rest(EVER_S))
    with pytest.raises(MetricsUnavailable):
        await client.instant("up", None, LONG_S)
    assert not rest.done()
    said[0] = 200
    await client.instant("up", None, LONG_S)
    async with asyncio.timeout(LONG_S):
        assert await rest
    rest = asyncio.ensure_future(client.returning.rest(EVER_S))
    await client.instant("up", None, LONG_S)
    await asyncio.sleep(0)
    assert not rest.done()
    rest.cancel()
    await client.close()


async def test_a_question_that_is_refused_alone_is_no_silence(peers, http_answer) -> None:
    bad = json.dumps({"status": "error", "errorType": "bad_data", "error": "parse error"})
    answers = [http_answer(400, bad), http_answer(200, json.dumps(vector(())))]
    address = await peers.answering(lambda *_: answers.pop(0))
    client = PrometheusClient(ServerSettings(f"http://{address}/"), Patient())
    with pytest.raises(MetricsUnavailable):
        await client.instant("up{", None, LONG_S)
    await client.instant("up", None, LONG_S)
    rest = asyncio.ensure_future(client.returning.rest(EVER_S))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not rest.done()
    rest.cancel()
    await client.close()
