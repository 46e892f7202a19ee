"""Decides when those who wait begin together: one who comes alone at once, a crowd in company.

What a batch costs as a whole, its round trip to the store above all, is shared by its members. On
grpcio calls are handed over one by one: without waiting for the next, each would be a batch.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

COMPANY: Final = 8  # shared by so many, what a batch costs is little for each
LONGEST_S: Final = 0.002
QUIET_TURNS: Final = 4  # grpcio takes two or three turns of the loop to hand over the next call


class Gathering:
    """Calls `begin` once for each `gather`, when company has come or is not to be expected."""

    def __init__(self, begin: Callable[[], None]) -> None:
        self._begin = begin
        self._waiting = 0
        self._arrivals_s: deque[float] = deque(maxlen=COMPANY)
        self._timer: asyncio.TimerHandle | None = None

    def arrived(self, now_s: float) -> None:
        """One more waits since `now_s` on the monotonic clock."""
        self._waiting += 1
        self._arrivals_s.append(now_s)
        if self._timer is not None and self._waiting >= COMPANY:
            self._end()

    def gather(self) -> None:
        """Those who wait will begin, with others who come soon.

        Where as many came within LONGEST_S as make a company, as many more are waited for. Else the
        batch begins when some turns of the loop brought nobody. Turns are long where most calls are
        refused; those that were taken wait no longer than LONGEST_S.
        """
        loop = asyncio.get_running_loop()
        if self._waiting >= COMPANY:
            self._end()
        elif self._crowded:
            self._timer = loop.call_later(LONGEST_S, self._end)
        else:
            loop.call_soon(self._turn, loop.time() + LONGEST_S, 0, 0)

    @property
    def _crowded(self) -> bool:
        arrivals_s = self._arrivals_s
        return len(arrivals_s) == COMPANY and arrivals_s[-1] - arrivals_s[0] < LONGEST_S

    def _turn(self, until_s: float, before: int, quiet: int) -> None:
        quiet = quiet + 1 if self._waiting == before else 0
        loop = asyncio.get_running_loop()
        if quiet == QUIET_TURNS or loop.time() >= until_s:
            self._end()
        else:
            loop.call_soon(self._turn, until_s, self._waiting, quiet)

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._waiting = 0
        self._begin()
