"""The overlay in Redis or Valkey: one hash of entries, and one of ratings for each new item."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

from foldin_model.ids import ItemId, UserId
from foldin_model.records.item_overlay import OverlayChanges, StoredEntry
from foldin_model.store import scripts
from foldin_model.store.keys import Keys
from foldin_model.store.overlay_protocol import OverlayLimits, entries_full, new_items_full
from foldin_model.store.redis.client import Command

_BATCH: Final = 500
Name = TypeVar("Name", bytes, ItemId)


class RedisOverlayStore:
    """An OverlayStore; `run` sends commands in one round trip and returns their replies."""

    def __init__(
        self,
        keys: Keys,
        run: Callable[[Sequence[Command]], list[object]],
        limits: OverlayLimits | None = None,
    ) -> None:
        self._keys = keys
        self._run = run
        self._limits = limits or OverlayLimits()
        self._shared = (keys.control, keys.overlay, keys.overlay_changed)

    def upsert(self, items: Sequence[tuple[ItemId, bytes]]) -> int:
        """Stores the packed content of items, all or none; returns the revision that has it."""
        pairs = [part for item in items for part in item]
        match self._eval(scripts.UPSERT_ITEMS, self._shared, self._limits.max_new_items, *pairs):
            case [b"OK", int(revision)]:
                return revision
            case [b"FULL", int(count)]:
                raise new_items_full(count, self._limits)
            case reply:
                raise TypeError(f"the script upsert_items answered {reply!r}")

    def set_availability(self, item_ids: Sequence[ItemId], *, available: bool) -> int:
        """Hides items or shows them again, all or none; returns the revision that has it."""
        hide, most = int(not available), self._limits.max_entries
        match self._eval(scripts.SET_AVAILABILITY, self._shared, hide, most, *item_ids):
            case [b"OK", int(revision)]:
                return revision
            case [b"FULL", int(count)]:
                raise entries_full(count, self._limits)
            case reply:
                raise TypeError(f"the script set_availability answered {reply!r}")

    def rate(self, item_id: ItemId, user_id: UserId, packed: bytes) -> bool:
        """Keeps one user's rating of a new item; returns whether anything changed."""
        keys = (*self._shared, self._keys.overlay_ratings(item_id))
        arguments = (item_id, user_id, packed, self._limits.max_raters)
        return self._eval(scripts.RATE_ITEM, keys, *arguments) == 1

    def absorb(self, item_ids: Sequence[ItemId]) -> int:
        """Removes content and ratings of items that a model has by now; returns their number."""
        absorbed = 0
        for batch in _batches(item_ids):
            keys = (*self._shared, *map(self._keys.overlay_ratings, batch))
            reply = self._eval(scripts.ABSORB_ITEMS, keys, *batch)
            absorbed += reply if isinstance(reply, int) else 0
        return absorbed

    def changes(self, since: int) -> OverlayChanges:
        """Returns what changed after revision `since`.

        The revision is read before the entries: a change in between is returned again next time.
        """
        revision, changed = self._changed(since)
        whole = since == 0 or revision < since
        if revision < since:
            revision, changed = self._changed(0)
        return OverlayChanges(revision, list(self._entries(changed)), whole)

    def _changed(self, since: int) -> tuple[int, list[bytes]]:
        commands: list[Command] = [
            ("HGET", self._keys.control, "overlay"),
            ("ZRANGEBYSCORE", self._keys.overlay_changed, f"({since}", "+inf"),
        ]
        match self._run(commands):
            case [(bytes() | None) as revision, list(names)]:
                return int(revision or 0), names
            case reply:
                raise TypeError(f"the store answered {reply!r} for the changes of the overlay")

    def _entries(self, names: Sequence[bytes]) -> Iterator[StoredEntry]:
        for batch in _batches(names):
            item_ids = [ItemId(name.decode()) for name in batch]
            commands: list[Command] = [("HMGET", self._keys.overlay, *item_ids)]
            commands += [("HGETALL", self._keys.overlay_ratings(item_id)) for item_id in item_ids]
            entries, *ratings = self._run(commands)
            if not isinstance(entries, list):
                raise TypeError(f"HMGET answered {entries!r}")
            for item_id, entry, rated in zip(item_ids, entries, ratings, strict=True):
                if isinstance(entry, bytes):
                    yield StoredEntry(item_id, entry, _by_user(rated))

    def _eval(
        self, script: scripts.Script, keys: Sequence[str], *arguments: str | bytes | int
    ) -> object:
        return self._run([("EVAL", script.text, len(keys), *keys, *arguments)])[0]


def _batches(names: Sequence[Name]) -> Iterator[Sequence[Name]]:
    return (names[start : start + _BATCH] for start in range(0, len(names), _BATCH))


def _by_user(reply: object) -> dict[UserId, bytes]:
    if isinstance(reply, dict):
        return {UserId(user.decode()): record for user, record in reply.items()}
    if isinstance(reply, list):
        pairs = zip(reply[::2], reply[1::2], strict=True)
        return {UserId(user.decode()): record for user, record in pairs}
    raise TypeError(f"HGETALL answered {reply!r}")
