"""The toolkit's wait for an idle application, in shorter looks."""

from collections.abc import Iterator

import pytest

LOOK_S = 1 / 200
"""Without work for so long, the application rests. The room has no timer between that and the toolkit's 20 ms."""


@pytest.fixture(scope="session", autouse=True)
def rests_sooner() -> Iterator[None]:
    """A key press waits twice for that and a pause once: thousands of waits of 20 ms, were it left as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("textual._wait.SLEEP_GRANULARITY", LOOK_S)
        patch.setattr("textual._wait.SLEEP_IDLE", LOOK_S / 10)
        yield
