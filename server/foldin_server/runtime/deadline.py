"""How long a call may still work. It measures; whoever waits has to ask it."""

import time
from typing import Final, NamedTuple


class Deadline(NamedTuple):
    """A point of `time.monotonic()`, or None for a caller who waits for ever."""

    at: float | None

    @classmethod
    def after(cls, seconds: float | None) -> "Deadline":
        """The point `seconds` from now, NEVER for None."""
        return NEVER if seconds is None else cls(time.monotonic() + seconds)

    @property
    def left(self) -> float | None:
        """The seconds left, never negative; None for a caller who waits for ever."""
        return None if self.at is None else max(0.0, self.at - time.monotonic())

    def capped(self, seconds: float) -> float:
        """The seconds left, `seconds` at most and never negative."""
        left = self.left
        return seconds if left is None else min(seconds, left)


NEVER: Final = Deadline(None)
