"""Decides when those who wait begin together: one who comes alone at once, of many a share.

What a batch costs as a whole, its round trip to the store above all, is shared by its members. On
the native transport a third of those who are to be answered are a batch: while it is computed, the
next is read and the one after that comes. On grpcio it is a half, for there the loop has so much to
do for each call that it seldom waits for the store.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from foldin_server.settings import ChosenTransport

COMPANY: Final = 24  # shared by so many, what a batch costs is little for each
# That those who are to be answered make.
BATCHES: Final[Mapping[ChosenTransport, int]] = {"native": 3, "grpcio": 2}
LONGEST_S: Final = 0.006  # a few batches long: company that comes at all has come by then
# Turns of the loop that bring no call, until it is clear that there is none. The native transport
# hands over all it has at once; grpcio hands calls over one by one, each by way of a thread and by
# several turns, so that who waits too short sees two of sixty, and goes on like that.
QUIET_TURNS: Final[Mapping[ChosenTransport, int]] = {"native": 0, "grpcio": 16}


class Gathering:
    """Calls `begin` once for each `gather`, when company has come or is not to be expected."""

    def __init__(self, begin: Callable[[], None], transport: ChosenTransport) -> None:
        self._begin = begin
        self._batches = BATCHES[transport]
        self._quiet_turns = QUIET_TURNS[transport]
        self._waiting = 0
        self._in_work = 0
        self._most = 0  # who waited or were in work together of late
        self._company = 0
        self._until_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def arrived(self) -> None:
        """One more waits."""
        self._waiting += 1
        self._most = max(self._most, self._waiting + self._in_work)
        if self._timer is not None and self._waiting >= self._company:
            self._timer.cancel()
            self._timer = None
            self._turn(0, 0)

    @contextmanager
    def batch(self, count: int) -> Iterator[None]:
        """So many of those who wait are in work."""
        self._waiting -= count
        self._in_work += count
        try:
            yield
        finally:
            self._in_work -= count

    def gather(self) -> None:
        """Those who wait will begin, with others who come soon.

        Company is a batch of the most that were to be answered together, COMPANY at most. It is
        waited for, and then for QUIET_TURNS that bring nobody, half of them where as many are here
        as were of late, but never past LONGEST_S: then those who are here begin, and that many are
        expected next time.
        """
        loop = asyncio.get_running_loop()
        self._company = min(COMPANY, self._most // self._batches)
        self._until_s = loop.time() + LONGEST_S
        if self._waiting >= self._company:
            self._turn(0, 0)
        else:
            self._timer = loop.call_at(self._until_s, self._alone)

    def _alone(self) -> None:
        self._timer = None
        self._most = self._here
        self._begin()

    def _turn(self, before: int, quiet: int) -> None:
        quiet = quiet + 1 if self._waiting == before else 0
        enough = self._quiet_turns if self._here < self._most else self._quiet_turns // 2
        loop = asyncio.get_running_loop()
        if self._waiting >= COMPANY or loop.time() >= self._until_s:
            self._begin()
        elif quiet < enough:
            loop.call_soon(self._turn, self._waiting, quiet)
        else:
            if quiet:  # others were waited for in vain
                self._most = self._here
            self._begin()

    @property
    def _here(self) -> int:
        """Who is to be answered."""
        return self._waiting + self._in_work
