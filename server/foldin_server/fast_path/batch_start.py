"""When a batch begins: a single call at once, calls that arrive together as a share of them.

The cost of a batch as a whole, above all its round trip to the store, is shared by its members.
"""

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, NamedTuple

from foldin_server.settings import ChosenTransport

MIN_SHARE: Final = 16  # waiting calls are not divided into batches smaller than this
MAX_WAIT_S: Final = 0.006  # a few batches long: calls that come at all have come by then


class BatchPolicy(NamedTuple):
    """How long the calls of a transport are waited for, and how many a batch takes.

    A batch begins when one in `begins_with` of the expected calls are here, and waits for `most`
    calls at most: with so many, the cost of a batch is small for each. It takes at most one in
    `takes` of them, or MIN_SHARE where that is more. After `quiet_turns` turns of the loop without
    a new call no more are expected; after `few_turns` where as many are here as recently.
    """

    begins_with: int
    takes: int
    most: int
    quiet_turns: int
    few_turns: int


# The native transport hands over all its calls at once: while one batch is computed, the next is
# read and a third arrives. Without a limit, callers that are answered together would call again
# together, which leaves two batches, neither of which is read while the other is computed.
# grpcio hands calls over few at a time, through a thread and several turns of the loop. A short
# wait sees few of sixty calls, and this repeats; there each call costs the loop so much that the
# loop seldom waits for the store.
POLICIES: Final[Mapping[ChosenTransport, BatchPolicy]] = {
    "native": BatchPolicy(begins_with=4, takes=3, most=24, quiet_turns=0, few_turns=0),
    "grpcio": BatchPolicy(begins_with=2, takes=1, most=40, quiet_turns=48, few_turns=8),
}


class BatchStart:
    """Calls `begin` once for each `gather`, when enough calls are here or no more are expected."""

    def __init__(self, begin: Callable[[], None], transport: ChosenTransport) -> None:
        self._begin = begin
        self._policy = POLICIES[transport]
        self._waiting = 0
        self._in_work = 0
        self._recent = 0  # most calls that recently waited or were in work together
        self._expected = 0
        self._until_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def arrived(self) -> None:
        """Notes that one more call waits."""
        self._waiting += 1
        self._recent = max(self._recent, self._waiting + self._in_work)
        if self._timer is not None and self._waiting >= self._expected:
            self._timer.cancel()
            self._timer = None
            self._turn(0, 0)

    @property
    def share(self) -> int:
        """The number of calls that a batch takes at most."""
        return max(MIN_SHARE, -(-self._recent // self._policy.takes))

    @contextmanager
    def batch(self, count: int) -> Iterator[None]:
        """Inside the block, `count` of the waiting calls are in work."""
        self._waiting -= count
        self._in_work += count
        try:
            yield
        finally:
            self._in_work -= count

    def gather(self) -> None:
        """Begins a batch soon: when a share of the expected calls is here.

        A share of the recent calls is waited for, and then turns that bring no call, but never
        past MAX_WAIT_S: then the calls that are here begin, and that many are expected next time.
        """
        loop = asyncio.get_running_loop()
        self._expected = min(self._policy.most, self._recent // self._policy.begins_with)
        self._until_s = loop.time() + MAX_WAIT_S
        if self._waiting >= self._expected:
            self._turn(0, 0)
        else:
            self._timer = loop.call_at(self._until_s, self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        self._recent = self._here
        self._begin()

    def _turn(self, before: int, quiet: int) -> None:
        quiet = quiet + 1 if self._waiting == before else 0
        all_here = self._here >= self._recent
        enough = self._policy.few_turns if all_here else self._policy.quiet_turns
        loop = asyncio.get_running_loop()
        if self._waiting >= self._policy.most or loop.time() >= self._until_s:
            self._begin()
        elif quiet < enough:
            if quiet:
                os.sched_yield()  # the thread that hands calls over may wait for this core
            loop.call_soon(self._turn, self._waiting, quiet)
        else:
            if quiet:  # the wait for others was in vain
                self._recent = self._here
            self._begin()

    @property
    def _here(self) -> int:
        """The number of calls that wait or are in work."""
        return self._waiting + self._in_work
