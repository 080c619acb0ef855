"""The README's pictures: the real demo's fleet and a canary's page, as text. `python -m tests.e2e.picture`."""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.e2e.terminal import PITHEAD, Terminal

BAKING_S, ROLLING_S = 38.0, 58.0
"""After the room has opened: the good canary is nearly through; it is on its way through production."""


def main() -> None:
    with TemporaryDirectory(prefix="p") as folder, Terminal([*PITHEAD, "demo"], Path(folder), 80, 24) as terminal:
        terminal.wait_for("SERVICE", "checkout", within_s=60)
        began = time.monotonic()
        watch(terminal, began + BAKING_S)
        terminal.press("/")
        terminal.wait_for("/ _")
        terminal.press("checkout")
        terminal.wait_for("/ checkout_")
        terminal.press("\r")
        terminal.wait_for("1 of 12 services")
        terminal.press_until("\r", "fleet > checkout")
        terminal.wait_for("throughput", "cpu")
        watch(terminal, time.monotonic() + 1)
        show(terminal)
        for _ in range(2):
            terminal.press("\x1b")
            terminal.wait_for("SERVICE")
        watch(terminal, began + ROLLING_S)
        show(terminal)
        terminal.press("q")
        terminal.wait_end()


def watch(terminal: Terminal, until: float) -> None:
    while (left := until - time.monotonic()) > 0:
        terminal.read(left)


def show(terminal: Terminal) -> None:
    sys.stdout.write("```\n" + "\n".join(line.rstrip() for line in terminal.text.splitlines()) + "\n```\n\n")


if __name__ == "__main__":
    main()
