"""Of all tests: quick ones first, and none fails for being slow on a busy machine."""

import pytest
from hypothesis import HealthCheck, settings

LAST = ("tests/bench/", "tests/e2e/")
"""They start whole programs."""

# Of what CI's own profile says, the rest stays.
settings.register_profile("house", settings(deadline=None, suppress_health_check=[HealthCheck.too_slow]))
settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.nodeid.startswith(LAST))
