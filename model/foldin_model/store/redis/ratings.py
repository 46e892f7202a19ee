"""The ratings of all users in Redis or Valkey; `write_ratings.lua` decides what a write changes."""

import asyncio
import struct
from collections.abc import Iterator, Sequence
from typing import Final

from foldin_model.errors import FoldinError, RequestIdReused, StoreUnavailable
from foldin_model.ids import ItemId, UserId, Version
from foldin_model.records.folded_users import PackedUser
from foldin_model.records.rating_history import NO_REQUEST
from foldin_model.store import scripts
from foldin_model.store.keys import Keys
from foldin_model.store.protocols import (
    ImportedRating,
    ImportOutcome,
    RatingWrite,
    StoredUser,
    WriteOutcome,
)
from foldin_model.store.redis.client import Command, Transaction, namespace_command, page_key_in
from foldin_model.store.redis.endpoint import Endpoint
from foldin_model.store.redis.reconnecting_pipeline import ReconnectingPipeline
from foldin_model.store.redis.user_replies import (
    current_users,
    revision_in,
    whole_users,
)
from foldin_model.store.url import StoreUrl
from foldin_model.store.write_rule import (
    Limits,
    check_event_time,
    check_stamps,
    damaged_rating,
    history_full,
    request_digest,
    too_far_ahead,
)

_USED: Final = (scripts.WRITE_RATINGS, scripts.KEEP_FOLDED)
_LOADS: Final[tuple[Command, ...]] = tuple(("SCRIPT", "LOAD", script.text) for script in _USED)
_NO_DIGEST: Final = bytes(16)
USERS_A_TRANSACTION: Final = 32  # the store runs nothing else during a transaction


class RedisRatingStore:
    """A RatingStore on one server, made without I/O; it connects when it is first used.

    Reads have one connection and writes another, so that no read waits for a write to reach the
    disk. Concurrent calls are sent together. Nothing is retried here, so that no write is stored
    twice; the next call opens a lost connection again.
    """

    def __init__(
        self,
        url: StoreUrl | str,
        namespace: str,
        *,
        timeout_s: float = 1.0,
        limits: Limits | None = None,
    ) -> None:
        self._keys = Keys(namespace)
        self._limits = limits or Limits()
        endpoint = Endpoint(StoreUrl.of(url), timeout_s)
        self._reads = ReconnectingPipeline(endpoint, self._prepare, self._check, reload=len(_USED))
        self._writes = ReconnectingPipeline(
            endpoint, self._prepare, self._check, reload=len(_USED), certain=True
        )
        self._mostly_folded = True  # of the users last read together without a known revision

    async def write(self, write: RatingWrite) -> WriteOutcome:
        """Stores one write; it is sent even if the caller is cancelled."""
        check_event_time(write.event_time_us)
        rating = _rating(write.item_id, write.value, write.event_time_us)
        if write.request_id is None:
            command = self._write_command(write.user_id, rating)
        else:
            command = self._write_command(
                write.user_id,
                rating,
                self._keys.request(write.user_id, write.request_id),
                write.request_id.bytes,
                request_digest(write),
            )
        reply = await self._writes.submit(command)
        revision, _, replayed, superseded = self._stored(write.user_id, reply)
        return WriteOutcome(revision, replayed=bool(replayed), superseded=bool(superseded))

    async def import_ratings(
        self, user_id: UserId, ratings: Sequence[ImportedRating]
    ) -> ImportOutcome:
        """Stores a user's past ratings; those that change share one new revision."""
        if not ratings:
            return ImportOutcome(0, 0)
        for rating in ratings:
            check_event_time(rating.event_time_us)
        packed = tuple(
            part
            for rating in ratings
            for part in _rating(rating.item_id, rating.value, rating.event_time_us)
        )
        command = self._write_command(user_id, packed)
        reply = await self._writes.submit(command)
        _, stored, _, _ = self._stored(user_id, reply)
        return ImportOutcome(stored, len(ratings) - stored)

    async def revision(self, user_id: UserId) -> int:
        """Returns the user's revision, 0 where there is none."""
        return revision_in(await self._reads.submit(("GET", self._keys.revision(user_id))))

    async def read(self, user_id: UserId, version: Version, *, history: bool = False) -> StoredUser:
        """Returns one consistent view of the user.

        A current folded user takes one round trip, everything else a second one.
        """
        if not history:
            reply = await self._reads.submit(("MGET", *self._keys.of_folded_state(user_id)))
            (state,) = current_users(version, [0], reply)
            if isinstance(state, StoredUser):
                return state
        reply = await self._reads.submit(self._whole([user_id], version))
        (whole,) = whole_users(version, 1, reply, history=history)
        if isinstance(whole, FoldinError):
            raise whole
        return whole

    async def read_all(
        self, users: Sequence[tuple[UserId, int]], version: Version
    ) -> Sequence[StoredUser | FoldinError]:
        """Returns what is stored of users, each with its known revision, in one or two round trips.

        While most users have no current folded user, as after a new version, everything is read in
        the first one.
        """
        if not users:
            return []
        states = await self._first_read(users, version)
        missing = [place for place, state in enumerate(states) if state is None]
        if missing:
            parts = _parts([users[place][0] for place in missing])
            again = await self._reads.submit_all([self._whole(part, version) for part in parts])
            for place, state in zip(missing, _users_in(version, parts, again), strict=True):
                states[place] = state
        found = [state for state in states if state is not None]
        self._note_folded(users, found)
        return found

    async def keep_folded(self, users: Sequence[tuple[UserId, PackedUser]]) -> list[bool]:
        """Keeps folded users for `folded_ttl_s`, except those whose revision has changed.

        `read` recognizes the bytes by the version and revision at their start.
        """
        check_stamps(users)
        if not users:
            return []
        replies = await self._writes.submit_all([self._keep_command(*user) for user in users])
        for reply in replies:
            if isinstance(reply, StoreUnavailable):
                raise reply
        return [reply == 1 for reply in replies]

    async def ping(self) -> None:
        """Returns once the store has answered and has the namespace. Raises StoreMismatch."""
        await asyncio.gather(
            *(pipeline.submit(("PING",)) for pipeline in (self._reads, self._writes))
        )

    async def close(self) -> None:
        """Closes the connections once every call has its reply."""
        await self._reads.close()
        await self._writes.close()

    async def _first_read(
        self, users: Sequence[tuple[UserId, int]], version: Version
    ) -> list[StoredUser | FoldinError | None]:
        """Reads (m,) users in one round trip; None for each that needs another one."""
        others = [] if self._mostly_folded else [user for user in users if not user[1]]
        in_short = [user for user in users if user[1]] if others else users
        parts = _parts([user_id for user_id, _ in others])
        commands: list[Command | Transaction] = [self._whole(part, version) for part in parts]
        if in_short:
            commands.append(self._in_short(in_short))
        replies = await self._reads.submit_all(commands)
        known = [revision for _, revision in in_short]
        current = current_users(version, known, replies.pop()) if in_short else []
        if not others:
            return current
        short, whole = iter(current), _users_in(version, parts, replies)
        return [next(short if revision else whole) for _, revision in users]

    def _in_short(self, users: Sequence[tuple[UserId, int]]) -> Command:
        """Returns one command for revisions, and for folded users where no revision is known."""
        keys: list[str] = []
        for user_id, revision in users:
            revision_key, folded_key = self._keys.of_folded_state(user_id)
            keys.append(revision_key)
            if not revision:
                keys.append(folded_key)
        return ("MGET", *keys)

    def _note_folded(
        self, users: Sequence[tuple[UserId, int]], states: Sequence[StoredUser | FoldinError]
    ) -> None:
        """Notes whether most users without a known revision were folded, for the next read."""
        read = [
            state.folded is not None
            for (_, known), state in zip(users, states, strict=True)
            if not known and isinstance(state, StoredUser)
        ]
        if read:
            self._mostly_folded = 2 * sum(read) >= len(read)

    def _whole(self, users: Sequence[UserId], version: Version) -> Transaction:
        """Returns the transaction that reads everything about users at one moment.

        A script that first checks whether the folded user is current takes four times as long,
        because it makes a string of every field of the history.
        """
        keys = [self._keys.of_read(version, user_id) for user_id in users]
        kept = [key for *first, _ in keys for key in first]
        return Transaction((("MGET", *kept), *(("HGETALL", ratings) for *_, ratings in keys)))

    def _keep_command(self, user_id: UserId, user: PackedUser) -> Command:
        keys = self._keys.of_folded_state(user_id)
        arguments = (user.revision, user.packed, self._limits.folded_ttl_s)
        return ("EVALSHA", scripts.KEEP_FOLDED.sha, len(keys), *keys, *arguments)

    def _write_command(
        self,
        user_id: UserId,
        ratings: tuple[str | bytes | int, ...],
        request: str | None = None,
        request_id: bytes = NO_REQUEST,
        digest: bytes = _NO_DIGEST,
    ) -> Command:
        keys = (*self._keys.of_write(user_id), *([] if request is None else [request]))
        limits = self._limits
        arguments = (
            user_id,
            request_id,
            digest,
            limits.max_ratings,
            limits.max_ahead_us,
            limits.request_ttl_s,
            limits.log_length,
        )
        return ("EVALSHA", scripts.WRITE_RATINGS.sha, len(keys), *keys, *arguments, *ratings)

    def _stored(self, user_id: UserId, reply: object) -> tuple[int, int, int, int]:
        match reply:
            case [b"OK", int(revision), int(stored), int(replayed), int(superseded)]:
                return revision, stored, replayed, superseded
            case [b"REUSED"]:
                raise RequestIdReused(
                    "this request_id came before with other content; use a new one"
                )
            case [b"AHEAD"]:
                raise too_far_ahead(self._limits)
            case [b"FULL", int(live)]:
                raise history_full(user_id, live, self._limits)
            case [b"CORRUPT", bytes(item)]:
                raise damaged_rating(user_id, ItemId(item.decode()))
        raise TypeError(f"the write script answered {reply!r}")

    def _prepare(self) -> Sequence[Command]:
        """Returns the commands that load the scripts and create the namespace."""
        return (*_LOADS, namespace_command(self._keys))

    def _check(self, replies: Sequence[object]) -> None:
        page_key_in(self._keys, replies[-1])


def _parts(users: Sequence[UserId]) -> list[Sequence[UserId]]:
    """Splits users into transactions, so that other clients are served in between."""
    return [
        users[start : start + USERS_A_TRANSACTION]
        for start in range(0, len(users), USERS_A_TRANSACTION)
    ]


def _users_in(
    version: Version, parts: Sequence[Sequence[UserId]], replies: Sequence[object]
) -> Iterator[StoredUser | FoldinError]:
    """Yields what the transactions for these parts replied, user by user."""
    for part, reply in zip(parts, replies, strict=True):
        yield from whole_users(version, len(part), reply)


def _rating(
    item_id: ItemId, value: float | None, event_time_us: int | None
) -> tuple[str | bytes | int, ...]:
    packed = b"" if value is None else struct.pack("<d", value)
    return (item_id, packed, "" if event_time_us is None else event_time_us)
