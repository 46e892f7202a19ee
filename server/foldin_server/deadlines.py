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

    def capped(self, seconds: float) -> float:
        """The seconds left, `seconds` at most and never negative."""
        if self.at is None:
            return seconds
        return max(0.0, min(seconds, self.at - time.monotonic()))


NEVER: Final = Deadline(None)
