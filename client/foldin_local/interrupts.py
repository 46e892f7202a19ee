"""Whether somebody asked us to stop: signals are noted, and raised only where it is safe.

So no signal comes between the start of a process and the note that it must be stopped.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    """Somebody asked us to stop. `exit_code` is what a shell expects of the signal."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


class Interrupts:
    """Remembers the first signal that asks to stop."""

    def __init__(self) -> None:
        self._number: int | None = None

    def note(self, number: int, _frame: FrameType | None) -> None:
        self._number = self._number or number

    def check(self) -> None:
        """Raises Interrupted if somebody asked us to stop."""
        if self._number is not None:
            raise Interrupted(self._number)


@contextmanager
def noting_signals() -> Iterator[Interrupts]:
    """Inside the block, Ctrl-C, SIGTERM and, without nohup, a closed terminal are noted."""
    interrupts = Interrupts()
    heard = ASKING if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN else ASKING[:2]
    before = {number: signal.signal(number, interrupts.note) for number in heard}
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
