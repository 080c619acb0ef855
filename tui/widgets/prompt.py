"""One line to type in, for filters: `Prompt`."""

from rich.style import Style
from textual.events import Blur, Key, Paste
from textual.message import Message

from pipeline.text import plain
from tui.widgets.lines import Lines
from tui.widgets.runs import Runs

LONGEST = 200


class Prompt(Lines, can_focus=True):
    """`/ team:pay_`: posts `Changed` at each key, `Done` at Enter or when left, `Dropped` at Esc."""

    class Changed(Message):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Done(Message):
        pass

    class Dropped(Message):
        pass

    def __init__(self, label: str, *, strong: Style, plain_: Style) -> None:
        super().__init__(id="prompt")
        self._label = label
        self._strong = strong
        self._plain = plain_
        self.text = ""

    def edit(self, text: str = "") -> None:
        """Start with `text`, and take the keys."""
        self.text = text
        self._draw()
        self.screen.set_focus(self, scroll_visible=False)

    def _draw(self) -> None:
        runs: Runs = ((f" {self._label} ", self._strong), (self.text, self._plain), ("_", self._strong))
        self.show(runs)

    def _change(self, text: str) -> None:
        self.text = text[:LONGEST]
        self._draw()
        self.post_message(self.Changed(self.text))

    def on_key(self, event: Key) -> None:
        if self.take(event):
            event.stop()
            event.prevent_default()

    def take(self, event: Key) -> bool:
        """Whether the key was for this line: all but those with Ctrl."""
        if event.key == "enter":
            self.post_message(self.Done())
        elif event.key == "escape":
            self.post_message(self.Dropped())
        elif event.key == "backspace":
            self._change(self.text[:-1])
        elif event.key == "ctrl+u":
            self._change("")
        elif event.is_printable and event.character:
            self._change(self.text + event.character)
        else:
            return not event.key.startswith("ctrl+")
        return True

    def on_paste(self, event: Paste) -> None:
        event.stop()
        self._change(self.text + plain(event.text, LONGEST))

    def on_blur(self, event: Blur) -> None:
        del event
        self.post_message(self.Done())
