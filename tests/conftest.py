"""Of all tests: quick ones first, and none fails for being slow on a busy machine.

Where several workers share them, the two files that wait longest begin at once on two of them, so that no worker is
left with one at the end.
"""

import pytest
from hypothesis import HealthCheck, settings

LAST = ("tests/bench/", "tests/e2e/")
"""They start whole programs."""
LONGEST = ("tests/e2e/test_fleet.py", "tests/e2e/test_company.py")

# Of what CI's own profile says, the rest stays.
settings.register_profile("house", settings(deadline=None, suppress_health_check=[HealthCheck.too_slow]))
settings.load_profile("house")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    shared = hasattr(config, "workerinput")

    def place(item: pytest.Item) -> tuple[bool, bool]:
        return not (shared and item.nodeid.startswith(LONGEST)), item.nodeid.startswith(LAST)

    items.sort(key=place)
