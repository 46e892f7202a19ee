"""Users whose folded state in this process is known to be current: the store reports changes.

A state is used only as long as the revision feed vouches for it. After that, and on a server that
tracks nobody, every answer asks the store.
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
    """Holds at most `size` users; the least recently used one leaves first.

    A state may be read before a change and arrive after it. To find that out, changes are counted:
    users share STRIPES counters, and a reader notes the counter (`mark`) before it reads.
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
        """Whether users are tracked now."""

    def __len__(self) -> int:
        return len(self._users)

    def get(self, user_id: UserId, version: Version, min_revision: int = 0) -> PackedUser | None:
        """Returns the user as of now under that version, None if only the store knows."""
        user = self._users.get(user_id)
        if user is None or user.version != version or user.revision < min_revision:
            return None
        if self._clock() >= self._trusted_until_s:
            return None
        self._users.move_to_end(user_id)
        return user

    def mark(self, user_id: UserId) -> int | None:
        """Returns the mark of now, taken before a read for `put`; None if nobody is tracked."""
        if not self.alive:
            return None
        return self._changes[hash(user_id) % STRIPES]

    def put(self, user_id: UserId, user: PackedUser, mark: int | None) -> None:
        """Holds a state that was read after `mark`, unless the user has changed since.

        Revision 0 identifies no state: a user has it before their first rating and after a purge.
        """
        if mark is None or mark != self.mark(user_id) or user.revision == 0 or self._size == 0:
            return
        self._users[user_id] = user
        self._users.move_to_end(user_id)
        if len(self._users) > self._size:
            self._users.popitem(last=False)

    def changed(self, user_id: UserId | None) -> None:
        """Drops the user, whose state has changed; with None, every user."""
        if user_id is None:
            self._forget()
            return
        self._users.pop(user_id, None)
        self._changes[hash(user_id) % STRIPES] += 1

    def trusted(self, until_s: float) -> None:
        """Trusts the held states until a time of `time.monotonic()`."""
        if not self.alive:
            self._forget()
            self.alive = True
            self._metrics.tracking.set(1)
            log.info("tracking")
        self._trusted_until_s = until_s

    def lost(self, reason: str) -> None:
        """Drops every user: from now on only the store knows their states."""
        self._forget()
        self._trusted_until_s = 0.0
        if self.alive:
            self.alive = False
            self._metrics.tracking.set(0)
            log.warning("tracking_lost", extra={"error": reason})

    def _forget(self) -> None:
        self._users.clear()
        self._changes = [count + 1 for count in self._changes]
