"""The deadline of a call. It cancels nothing: code that waits asks it how long it may."""

import time
from typing import Final, NamedTuple


class Deadline(NamedTuple):
    """A time of `time.monotonic()`, None without a deadline."""

    at: float | None

    @classmethod
    def after(cls, seconds: float | None) -> "Deadline":
        """Returns the deadline `seconds` from now, NEVER for None."""
        return NEVER if seconds is None else cls(time.monotonic() + seconds)

    @property
    def left(self) -> float | None:
        """Returns the seconds left, never negative; None without a deadline."""
        return None if self.at is None else max(0.0, self.at - time.monotonic())

    def capped(self, seconds: float) -> float:
        """Returns the seconds left, at most `seconds` and never negative."""
        left = self.left
        return seconds if left is None else min(seconds, left)


NEVER: Final = Deadline(None)
