"""What a server of the Prometheus kind says, written by a test."""

import json
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs

Row = tuple[Mapping[str, str], float | str]
NOW_S = 1_767_571_200.5
"""The server's clock stands still."""


def vector(rows: Sequence[Row], at_s: float = NOW_S, **more: object) -> dict[str, object]:
    """The JSON of an instant query's answer."""
    result = [{"metric": labels, "value": [at_s, str(value)]} for labels, value in rows]
    return {"status": "success", "data": {"resultType": "vector", "result": result}, **more}


class Script:
    """Answers by the first of `answers` whose key is in the query; counts what it is asked."""

    def __init__(self, answers: Mapping[str, Sequence[Row]], at_s: float = NOW_S) -> None:
        self.answers = dict(answers)
        self.at_s = at_s
        self.asked: list[dict[str, str]] = []

    def __call__(self, _method: str, _path: str, body: bytes) -> str:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        self.asked.append(form)
        for key, rows in self.answers.items():
            if key in form["query"]:
                return json.dumps(vector(rows, float(form.get("time", self.at_s))))
        return json.dumps(vector(()))
