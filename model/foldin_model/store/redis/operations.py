"""Maintenance of a store in Redis or Valkey: sizes, leftovers of publishing, purging a user."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from foldin_model.ids import ItemId, UserId, Version
from foldin_model.store.keys import Keys, is_versions
from foldin_model.store.redis.client import Command, connect, failures_as_unavailable
from foldin_model.store.scripts import FORGET_RATER, PURGE_USER
from foldin_model.store.url import StoreUrl

KINDS: Final = (
    "ratings",
    "revisions",
    "folded users",
    "trained users",
    "models",
    "logs",
    "requests",
    "overlay",
    "control",
)
_OF_USER: Final = {
    "r": "ratings",
    "rev": "revisions",
    "f": "folded users",
    "req": "requests",
    "log": "logs",
}
_BATCH: Final = 1_000


class RedisOperations:
    """StoreOperations on one server, made without I/O; it connects when it is first used."""

    def __init__(self, url: StoreUrl | str, namespace: str, *, timeout_s: float = 5.0) -> None:
        self._url = StoreUrl.of(url)
        self._keys = Keys(namespace)
        self._client = connect(self._url, timeout_s)

    def sizes(self) -> dict[str, tuple[int, int]]:
        """Returns the number of keys and their bytes in memory by kind, in the order of KINDS."""
        keys: Counter[str] = Counter()
        sizes: Counter[str] = Counter()
        for names in self._names():
            commands: list[Command] = [("MEMORY", "USAGE", name, "SAMPLES", "0") for name in names]
            for name, size in zip(names, self._pipeline(commands), strict=True):
                if isinstance(size, int):  # None where it has expired meanwhile
                    keys[self._kind(name)] += 1
                    sizes[self._kind(name)] += size
        return {kind: (keys[kind], sizes[kind]) for kind in KINDS}

    def purge(self, user_id: UserId, versions: Sequence[Version]) -> int:
        """Removes all that is kept of a user; returns how many keys and log entries there were.

        That is ratings, revision, folded and trained vectors, entries in the log, and ratings of
        new items. Outcomes of the user's requests expire within the hour. The id stays in the list
        of users of each model version that was trained with them, until the version is removed.
        """
        keys = self._keys
        names = (
            keys.log(user_id),
            keys.ratings(user_id),
            keys.revision(user_id),
            keys.folded(user_id),
            *(keys.trained(version, user_id) for version in versions),
        )
        replies = self._pipeline([("EVAL", PURGE_USER.text, len(names), *names, user_id)])
        return _count(replies) + self._forget_rater(user_id)

    def all_versions(self) -> set[Version]:
        """Returns the versions of every namespace of this store."""
        found: set[Version] = set()
        for names in self._names("{fi:*}:versions"):
            lists = [name for name in names if is_versions(name)]
            for reply in self._pipeline([("ZRANGE", name, 0, -1) for name in lists]):
                if isinstance(reply, list):
                    found.update(Version(name.decode()) for name in reply)
        return found

    def unfinished_versions(self, known: Sequence[Version]) -> list[Version]:
        """Returns the versions that have keys but are not in `known`."""
        prefix = f"fi:{self._keys.namespace}:v:"
        found = {
            name.decode().removeprefix(prefix).partition(":")[0]
            for names in self._names(f"{prefix}*")
            for name in names
        }
        return sorted(Version(name) for name in found.difference(known))

    def remove_unfinished(self, version: Version) -> int:
        """Removes the keys of a version that is not listed; returns how many there were."""
        removed = 0
        for names in self._names(f"{self._keys.chunk(version, '')}*"):
            removed += _count(self._pipeline([("UNLINK", name) for name in names]))
        return removed

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def _forget_rater(self, user_id: UserId) -> int:
        keys = self._keys
        (items,) = self._pipeline([("HKEYS", keys.overlay)])
        if not isinstance(items, list):
            raise TypeError(f"HKEYS answered {items!r}")
        removed = 0
        for start in range(0, len(items), _BATCH):
            batch = [ItemId(item.decode()) for item in items[start : start + _BATCH]]
            names = (keys.control, keys.overlay_changed, *map(keys.overlay_ratings, batch))
            command: Command = ("EVAL", FORGET_RATER.text, len(names), *names, user_id, *batch)
            removed += _count(self._pipeline([command]))
        return removed

    def _names(self, pattern: str | None = None) -> Iterator[list[bytes]]:
        namespace = self._keys.namespace
        patterns = (f"fi:{namespace}:*", f"{{fi:{namespace}}}:*") if pattern is None else (pattern,)
        with failures_as_unavailable(self._url):
            for each in patterns:
                names = self._client.scan_iter(each, count=_BATCH)
                while batch := list(islice(names, _BATCH)):
                    yield [name for name in batch if isinstance(name, bytes)]

    def _kind(self, name: bytes) -> str:
        text = name.decode()
        if text.startswith(self._keys.overlay):
            return "overlay"
        text = text.removeprefix(f"fi:{self._keys.namespace}:")
        first, _, rest = text.partition(":")
        if first == "v":
            return "trained users" if rest.partition(":")[2].startswith("u:") else "models"
        return _OF_USER.get(rest.partition(":")[0], "control")

    def _pipeline(self, commands: Sequence[Command]) -> list[object]:
        with (
            failures_as_unavailable(self._url),
            self._client.pipeline(transaction=False) as pipeline,
        ):
            for command in commands:
                pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
            replies: list[object] = pipeline.execute()
            return replies


def _count(replies: Sequence[object]) -> int:
    return sum(reply for reply in replies if isinstance(reply, int))
