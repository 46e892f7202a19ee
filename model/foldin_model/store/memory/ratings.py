"""Ratings in memory, with the same results as those in Redis; lost when the process ends."""

import time
from collections.abc import Callable, Sequence
from itertools import compress

import numpy as np

from foldin_model.errors import (
    RequestIdReused,
)
from foldin_model.ids import ItemId, UserId, Version
from foldin_model.records.folded_users import PackedUser, folded_stamp
from foldin_model.records.rating_history import NO_REQUEST, History, RatingRecord
from foldin_model.store.memory.models import MemoryModelStore
from foldin_model.store.protocols import (
    ImportedRating,
    ImportOutcome,
    RatingWrite,
    StoredUser,
    WriteOutcome,
)
from foldin_model.store.write_rule import (
    Limits,
    check_event_time,
    check_stamps,
    history_full,
    request_digest,
    too_far_ahead,
    wins_over,
)

_Entry = tuple[ItemId, float | None, int | None]


class MemoryRatingStore:
    """A RatingStore in dictionaries, which reads trained users from `models`."""

    def __init__(
        self,
        models: MemoryModelStore | None = None,
        *,
        limits: Limits | None = None,
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1_000,
    ) -> None:
        self._models = models or MemoryModelStore()
        self._limits = limits or Limits()
        self._clock_us = clock_us
        self._ratings: dict[UserId, dict[ItemId, RatingRecord]] = {}
        self._revisions: dict[UserId, int] = {}
        self._folded: dict[UserId, tuple[int, bytes]] = {}
        self._requests: dict[tuple[UserId, bytes], tuple[int, bytes, WriteOutcome]] = {}

    async def write(self, write: RatingWrite) -> WriteOutcome:
        """Stores one write by the last-writer-wins rule."""
        check_event_time(write.event_time_us)
        now = self._clock_us()
        request_id = NO_REQUEST if write.request_id is None else write.request_id.bytes
        name = (write.user_id, request_id)
        asked = request_digest(write)
        if write.request_id is not None and name in self._requests:
            expires, digest, outcome = self._requests[name]
            if now < expires:
                if digest != asked:
                    raise RequestIdReused(
                        "this request_id came before with other content; use a new one"
                    )
                return WriteOutcome(outcome.revision, True, outcome.superseded)  # noqa: FBT003
        entries = [(write.item_id, write.value, write.event_time_us)]
        stored = self._store(write.user_id, entries, request_id, now)
        revision = self._revisions.get(write.user_id, 0)
        outcome = WriteOutcome(revision, superseded=stored == 0)
        if write.request_id is not None:
            expires = now + self._limits.request_ttl_s * 1_000_000
            self._requests[name] = (expires, asked, outcome)
        return outcome

    async def import_ratings(
        self, user_id: UserId, ratings: Sequence[ImportedRating]
    ) -> ImportOutcome:
        """Stores a user's past ratings; those that change share one new revision."""
        for rating in ratings:
            check_event_time(rating.event_time_us)
        entries = [(rating.item_id, rating.value, rating.event_time_us) for rating in ratings]
        stored = self._store(user_id, entries, NO_REQUEST, self._clock_us())
        return ImportOutcome(stored, len(ratings) - stored)

    async def revision(self, user_id: UserId) -> int:
        """Returns the user's revision, 0 where there is none."""
        return self._revisions.get(user_id, 0)

    async def read(self, user_id: UserId, version: Version, *, history: bool = False) -> StoredUser:
        """Returns one consistent view of the user."""
        revision = self._revisions.get(user_id, 0)
        expires, folded = self._folded.get(user_id, (0, b""))
        current = folded.startswith(folded_stamp(version, revision))
        if current and not history and self._clock_us() < expires:
            return StoredUser(revision, folded=folded)
        live = [
            (item_id, record)
            for item_id, record in self._ratings.get(user_id, {}).items()
            if not record.deleted
        ]
        stored = History.of(
            tuple(item_id for item_id, _ in live),
            np.array([record.value for _, record in live], np.float64),
            np.array([record.event_time_us for _, record in live], np.int64),
            np.array([record.revision for _, record in live], np.int64),
        )
        trained = self._models.trained_user(version, user_id)
        return StoredUser(revision, history=stored, trained=trained)

    async def read_all(
        self, users: Sequence[tuple[UserId, int]], version: Version
    ) -> Sequence[StoredUser]:
        """Returns for each user what `read` returns; only the revision where that is known."""
        return [
            StoredUser(known)
            if known and known == self._revisions.get(user_id, 0)
            else await self.read(user_id, version)
            for user_id, known in users
        ]

    async def keep_folded(self, users: Sequence[tuple[UserId, PackedUser]]) -> list[bool]:
        """Keeps folded users for `folded_ttl_s`, except those whose revision has changed."""
        check_stamps(users)
        expires = self._clock_us() + self._limits.folded_ttl_s * 1_000_000
        current = [self._revisions.get(user_id, 0) == user.revision for user_id, user in users]
        for user_id, user in compress(users, current):
            self._folded[user_id] = (expires, user.packed)
        return current

    async def ping(self) -> None:
        """Returns at once: memory is always there."""

    async def close(self) -> None:
        """Does nothing: there is no connection."""

    def _store(
        self, user_id: UserId, entries: Sequence[_Entry], request_id: bytes, now: int
    ) -> int:
        """Stores the entries that win, or raises; returns how many items changed."""
        before = self._ratings.get(user_id, {})
        after = dict(before)
        for item_id, value, sent_us in entries:
            old = after.get(item_id)
            if sent_us is not None and sent_us > now + self._limits.max_ahead_us:
                raise too_far_ahead(self._limits)
            event_time_us = sent_us
            if event_time_us is None:
                event_time_us = now if old is None else max(now, old.event_time_us + 1)
            new = RatingRecord(value or 0.0, event_time_us, 0, request_id, deleted=value is None)
            if old is None or wins_over(new, old):
                after[item_id] = new
        changed = [
            item_id for item_id, record in after.items() if record is not before.get(item_id)
        ]
        live = sum(not record.deleted for record in before.values())
        growth = sum(not record.deleted for record in after.values()) - live
        if growth > 0 and live + growth > self._limits.max_ratings:
            raise history_full(user_id, live, self._limits)
        if changed:
            revision = max(self._revisions.get(user_id, 0) + 1, now)
            for item_id in changed:
                after[item_id] = _with_revision(after[item_id], revision)
            self._ratings[user_id] = after
            self._revisions[user_id] = revision
            self._folded.pop(user_id, None)
        return len(changed)


def _with_revision(record: RatingRecord, revision: int) -> RatingRecord:
    return RatingRecord(
        record.value, record.event_time_us, revision, record.request_id, record.deleted
    )
