"""Users whose state is as this process remembers it, for the store tells of every change to them.

Nothing is believed beyond the moment until which the tracker vouches for it: then, as on a server
that tracks nobody, every answer asks the store again.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from foldin_model.ids import UserId, Version
from foldin_model.records.folded_users import PackedUser

from foldin_server.runtime.metrics import Metrics

STRIPES: Final = 4_096
log = logging.getLogger(__name__)


class TrackedUsers:
    """Holds at most `size` users; the one not asked for longest leaves first.

    A state that was read before a change and arrives after it is told apart by counting changes:
    users share STRIPES counters, and whoever reads notes the counter first.
    """

    def __init__(
        self, size: int, metrics: Metrics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._size = size
        self._metrics = metrics
        self._clock = clock
        self._users: OrderedDict[UserId, PackedUser] = OrderedDict()
        self._changes = [0] * STRIPES
        self._trusted_until_s = 0.0
        self.alive = False
        """Whether anybody is tracked."""

    def __len__(self) -> int:
        return len(self._users)

    def get(self, user_id: UserId, version: Version, min_revision: int = 0) -> PackedUser | None:
        """The user as of now under that version, where that is known without asking."""
        user = self._users.get(user_id)
        if user is None or user.version != version or user.revision < min_revision:
            return None
        if self._clock() >= self._trusted_until_s:
            return None
        self._users.move_to_end(user_id)
        return user

    def mark(self, user_id: UserId) -> int | None:
        """To be noted before a user is read and given to `put`; None where nobody is tracked."""
        if not self.alive:
            return None
        return self._changes[hash(user_id) % STRIPES]

    def put(self, user_id: UserId, user: PackedUser, mark: int | None) -> None:
        """Holds a state that was read after `mark`, unless something has changed since.

        Revision 0 names no state: a user has it before her first rating and after a purge alike.
        """
        if mark is None or mark != self.mark(user_id) or user.revision == 0 or self._size == 0:
            return
        self._users[user_id] = user
        self._users.move_to_end(user_id)
        if len(self._users) > self._size:
            self._users.popitem(last=False)

    def changed(self, user_id: UserId | None) -> None:
        """The state of the user is another one now, that of every user if None."""
        if user_id is None:
            self._forget()
            return
        self._users.pop(user_id, None)
        self._changes[hash(user_id) % STRIPES] += 1

    def trusted(self, until_s: float) -> None:
        """What is held is current until that moment, and what is told of is dropped before."""
        if not self.alive:
            self._forget()
            self.alive = True
            self._metrics.tracking.set(1)
            log.info("tracking")
        self._trusted_until_s = until_s

    def lost(self, reason: str) -> None:
        """From now on nothing is known without asking."""
        self._forget()
        self._trusted_until_s = 0.0
        if self.alive:
            self.alive = False
            self._metrics.tracking.set(0)
            log.warning("tracking_lost", extra={"error": reason})

    def _forget(self) -> None:
        self._users.clear()
        self._changes = [count + 1 for count in self._changes]
