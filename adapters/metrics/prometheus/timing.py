"""The server's clock seen from the controller's, and how long a failing server is left alone."""

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0


class ServerTime:
    """What the controller's monotonic clock says at an instant of the server's.

    Between two scrapes only the server's own times count, so the translation is kept as it is while it may be
    true: a question's instant lies between its sending and its answer.
    """

    def __init__(self) -> None:
        self._ahead_s: float | None = None
        """Monotonic seconds less unix seconds."""

    def seen(self, sent_s: float, answered_s: float, at_s: float) -> None:
        """The server's time was `at_s` (unix) somewhere from `sent_s` to `answered_s` (monotonic)."""
        least, most = sent_s - at_s, answered_s - at_s
        self._ahead_s = least if self._ahead_s is None else min(max(self._ahead_s, least), most)

    def monotonic(self, at_s: float) -> float:
        """Of unix seconds; raises `ValueError` before anything was `seen`."""
        if self._ahead_s is None:
            raise ValueError("the server's time is not known yet")
        return at_s + self._ahead_s


class BackOff:
    """Doubling waits after failures."""

    def __init__(self) -> None:
        self._wait_s = FIRST_WAIT_S
        self.until_s = float("-inf")
        """Monotonic; nothing is asked before."""

    def failed(self, now_s: float) -> None:
        self.until_s = now_s + self._wait_s
        self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)

    def well(self) -> None:
        self._wait_s, self.until_s = FIRST_WAIT_S, float("-inf")
