"""What readiness rows look at, as the file says it."""

from collections.abc import Callable

import pytest

from adapters.config import Settings
from pipeline.readiness.rules import SUITES

Read = Callable[[str], Settings]
Errors = Callable[[str], list[str]]


def test_links_callers_and_suites_are_read_and_have_defaults(small: str, read: Read) -> None:
    settings = read(small)
    rules = settings.fleet.services["cart"].rules.readiness
    assert (settings.readiness_every_s, rules.client_label, rules.suites, rules.dashboards) == (3_600.0, "", SUITES, ())
    said = """[organisation.readiness]
client_label = "client"
suites = ["unit"]
dashboards = ["https://grafana.example/d/1", "boards/cart.json"]
"""
    settings = read(f'[controller]\nreadiness_every = "10m"\n{small}{said}')
    rules = settings.fleet.services["cart"].rules.readiness
    assert settings.readiness_every_s == 600.0
    assert (rules.client_label, rules.suites) == ("client", ("unit",))
    assert rules.dashboards == ("https://grafana.example/d/1", "boards/cart.json")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ('runbook = "https://ana:secret@wiki/x"', "runbook: a link has no user's name or password in it"),
        ('docs = { faq = "http://ana@wiki/x" }', "docs.faq: a link has no user's name or password in it"),
        ('dashboards = ["http://["]', "dashboards[0]: expected a link, or the path of a file"),
        ('client_label = "the client"', "client_label: expected a label's name, such as client"),
        ("suites = []", "suites: expected"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(small: str, errors: Errors, said: str, why: str) -> None:
    (told,) = errors(f"{small}[organisation.readiness]\n{said}\n")
    assert f"organisation.readiness.{why}" in told
    assert "secret" not in told
