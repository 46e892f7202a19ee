"""The ratings of all users in Redis or Valkey. What a write means is decided in `write.lua`."""

import asyncio
import struct
from collections.abc import Sequence
from typing import Final

from hiredis import pack_command
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError, ResponseError

from foldin_model.errors import RequestIdReused
from foldin_model.ids import ItemId, UserId, Version
from foldin_model.ratings import NO_REQUEST, History
from foldin_model.store import scripts
from foldin_model.store.coalescing import Coalescer
from foldin_model.store.connection import Command, check_claim, claim, reaching, unavailable
from foldin_model.store.keys import Keys
from foldin_model.store.protocols import (
    ImportedRating,
    ImportOutcome,
    RatingWrite,
    UserState,
    WriteOutcome,
)
from foldin_model.store.rule import (
    Limits,
    check_event_time,
    damaged_rating,
    history_full,
    request_digest,
    too_far_ahead,
)
from foldin_model.users import folded_stamp

_USED: Final = (scripts.WRITE, scripts.READ, scripts.KEEP)
_NO_DIGEST: Final = bytes(16)


class RedisRatingStore:
    """A RatingStore on one server; made without I/O, it connects when it is first used.

    Calls that arrive together share one round trip: reads with reads, writes with writes. Nothing
    is retried here, so that no write is taken twice; a lost connection is renewed by the next call.
    """

    def __init__(
        self, url: str, namespace: str, *, timeout_s: float = 1.0, limits: Limits | None = None
    ) -> None:
        self._url = url
        self._keys = Keys(namespace)
        self._limits = limits or Limits()
        self._prepared = False
        self._client = Redis.from_url(
            url,
            protocol=2,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
        )
        self._reads: Coalescer[Command, object] = Coalescer(self._send)
        self._writes: Coalescer[Command, object] = Coalescer(self._send)

    async def write(self, write: RatingWrite) -> WriteOutcome:
        """Stores one write; once called, it goes through even if the caller is cancelled."""
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
        reply = await asyncio.shield(self._writes.submit(command))
        revision, _, replayed, superseded = self._stored(write.user_id, reply)
        return WriteOutcome(revision, replayed=bool(replayed), superseded=bool(superseded))

    async def import_ratings(
        self, user_id: UserId, ratings: Sequence[ImportedRating]
    ) -> ImportOutcome:
        """Stores a user's past ratings; those that are stored share one new revision."""
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
        reply = await asyncio.shield(self._writes.submit(command))
        _, stored, _, _ = self._stored(user_id, reply)
        return ImportOutcome(stored, len(ratings) - stored)

    async def read(self, user_id: UserId, version: Version, *, history: bool = False) -> UserState:
        """One consistent view of the user, in one round trip shared with concurrent reads."""
        reply = await self._reads.submit(
            (
                "EVALSHA_RO",
                scripts.READ.sha,
                4,
                self._keys.revision(user_id),
                self._keys.folded(user_id),
                self._keys.ratings(user_id),
                self._keys.trained(version, user_id),
                folded_stamp(version, 0),
                int(history),
            )
        )
        match reply:
            case [int(revision), bytes(folded)]:
                return UserState(revision, folded=folded)
            case [int(revision), None, list(fields), (bytes() | None) as trained]:
                stored = History.unpack(fields[::2], fields[1::2])
                return UserState(revision, history=stored, trained=trained)
        raise TypeError(f"the read script answered {reply!r}")

    async def keep_folded(
        self, user_id: UserId, version: Version, revision: int, folded: bytes
    ) -> bool:
        """Keeps a folded state for a while, unless the user was written to meanwhile.

        The bytes are those of a FoldedUser of `version` and `revision`, which name them for `read`.
        """
        if not folded.startswith(folded_stamp(version, revision)):
            raise ValueError(f"the folded state is not of version {version}, revision {revision}")
        reply = await self._writes.submit(
            (
                "EVALSHA",
                scripts.KEEP.sha,
                2,
                self._keys.revision(user_id),
                self._keys.folded(user_id),
                revision,
                folded,
                self._limits.folded_ttl_s,
            )
        )
        return reply == 1

    async def ping(self) -> None:
        """Returns when the store has answered and its namespace is ours. Raises StoreMismatch."""
        with reaching(self._url):
            await self._prepare()
            await self._client.ping()

    async def close(self) -> None:
        """Gives the connections back when every call has its answer."""
        await self._reads.drain()
        await self._writes.drain()
        await self._client.aclose()

    def _write_command(
        self,
        user_id: UserId,
        ratings: tuple[str | bytes | int, ...],
        request: str | None = None,
        request_id: bytes = NO_REQUEST,
        digest: bytes = _NO_DIGEST,
    ) -> Command:
        keys = (
            self._keys.ratings(user_id),
            self._keys.revision(user_id),
            self._keys.folded(user_id),
            self._keys.log(user_id),
            *([] if request is None else [request]),
        )
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
        return ("EVALSHA", scripts.WRITE.sha, len(keys), *keys, *arguments, *ratings)

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

    async def _send(self, commands: Sequence[Command]) -> Sequence[object]:
        with reaching(self._url):
            if not self._prepared:
                await self._prepare()
            replies = await self._pipeline(commands)
            lost = [i for i, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
            if lost:  # the server was restarted: what it does not know it has not run
                await self._prepare()
                again = await self._pipeline([commands[i] for i in lost])
                for i, reply in zip(lost, again, strict=True):
                    replies[i] = reply
        return [
            unavailable(self._url, reply) if isinstance(reply, RedisError) else reply
            for reply in replies
        ]

    async def _prepare(self) -> None:
        """Claims the namespace and loads the scripts, in one round trip."""
        loads: list[Command] = [("SCRIPT", "LOAD", script.text) for script in _USED]
        replies = await self._pipeline((*loads, *claim(self._keys)))
        for reply in replies:
            if isinstance(reply, RedisError):
                raise reply
        check_claim(self._keys, replies[-1])
        self._prepared = True

    async def _pipeline(self, commands: Sequence[Command]) -> list[object]:
        """A reply or an error for each command, sent at once.

        redis-py's own pipeline does the same, but packs in Python and wraps every reply.
        """
        pool = self._client.connection_pool
        connection = await pool.get_connection()  # type: ignore[no-untyped-call]
        try:
            # The stub of hiredis has one argument where any number may stand.
            packed = [pack_command(command) for command in commands]  # type: ignore[arg-type]
            await connection.send_packed_command(b"".join(packed))
            return [await _reply(connection) for _ in commands]
        except BaseException:
            await connection.disconnect(nowait=True)  # or the next would read what is left
            raise
        finally:
            await pool.release(connection)


async def _reply(connection: AbstractConnection) -> object:
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error


def _rating(
    item_id: ItemId, value: float | None, event_time_us: int | None
) -> tuple[str | bytes | int, ...]:
    packed = b"" if value is None else struct.pack("<d", value)
    return (item_id, packed, "" if event_time_us is None else event_time_us)
