"""Decides when those who wait begin together: one who comes alone at once, of many a share.

What a batch costs as a whole, its round trip to the store above all, is shared by its members.
"""

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, NamedTuple

from foldin_server.settings import ChosenTransport

FEWEST: Final = 16  # who wait are not parted into batches smaller than this
LONGEST_S: Final = 0.006  # a few batches long: company that comes at all has come by then


class Manner(NamedTuple):
    """How the calls of a transport gather.

    A batch begins with one in `begins_with` of those who are to be answered, and no more than
    `most` are waited for: shared by so many, what a batch costs is little for each. It takes one in
    `takes` of them at most, or FEWEST where that is more. After `quiet_turns` of the loop that
    bring no call it is clear that there is none; after `few_turns` where as many are here as were
    of late.
    """

    begins_with: int
    takes: int
    most: int
    quiet_turns: int
    few_turns: int


# The native transport hands over all it has at once: while one batch is computed, the next is read
# and a third comes. Were none of them limited, those who are answered together would come back
# together, and two batches would be left, neither of which is read while the other is computed.
# grpcio hands calls over few at a time, by way of a thread and by several turns, so that who waits
# too short sees few of sixty, and goes on like that; there the loop has so much to do for each call
# that it seldom waits for the store.
MANNERS: Final[Mapping[ChosenTransport, Manner]] = {
    "native": Manner(begins_with=4, takes=3, most=24, quiet_turns=0, few_turns=0),
    "grpcio": Manner(begins_with=2, takes=1, most=40, quiet_turns=48, few_turns=8),
}


class Gathering:
    """Calls `begin` once for each `gather`, when company has come or is not to be expected."""

    def __init__(self, begin: Callable[[], None], transport: ChosenTransport) -> None:
        self._begin = begin
        self._manner = MANNERS[transport]
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

    @property
    def share(self) -> int:
        """How many a batch takes at most."""
        return max(FEWEST, -(-self._most // self._manner.takes))

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

        Company is a share of the most who were to be answered together. It is waited for, and then
        for turns that bring nobody, but never past LONGEST_S: then those who are here begin, and
        that many are expected next time.
        """
        loop = asyncio.get_running_loop()
        self._company = min(self._manner.most, self._most // self._manner.begins_with)
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
        all_here = self._here >= self._most
        enough = self._manner.few_turns if all_here else self._manner.quiet_turns
        loop = asyncio.get_running_loop()
        if self._waiting >= self._manner.most or loop.time() >= self._until_s:
            self._begin()
        elif quiet < enough:
            if quiet:
                os.sched_yield()  # what hands calls over may wait for this core
            loop.call_soon(self._turn, self._waiting, quiet)
        else:
            if quiet:  # others were waited for in vain
                self._most = self._here
            self._begin()

    @property
    def _here(self) -> int:
        """Who is to be answered."""
        return self._waiting + self._in_work
