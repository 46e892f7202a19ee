"""Signals that ask the process to stop: noted when they come, raised only where that is safe.

So no signal can come between the start of a process and the note that it must be stopped.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    """The process was asked to stop. `exit_code` is what a shell expects of the signal."""

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
        """Raises Interrupted if a signal asked to stop."""
        if self._number is not None:
            raise Interrupted(self._number)


@contextmanager
def noted_signals() -> Iterator[Interrupts]:
    """Notes Ctrl-C, SIGTERM and, without nohup, a closed terminal while the block runs."""
    interrupts = Interrupts()
    ignores_hangup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    noted = STOP_SIGNALS[:2] if ignores_hangup else STOP_SIGNALS
    before = {number: signal.signal(number, interrupts.note) for number in noted}
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
