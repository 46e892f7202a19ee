"""Published models in Redis or Valkey: chunks by name, and the pointer to the current version."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Final

from foldin_model.errors import ArtifactCorrupt, VersionConflict, VersionNotFound
from foldin_model.ids import UserId, Version
from foldin_model.store import scripts
from foldin_model.store.keys import Keys
from foldin_model.store.protocols import Pointer
from foldin_model.store.redis.client import (
    Command,
    connect,
    failures_as_unavailable,
    namespace_command,
    page_key_in,
)
from foldin_model.store.redis.overlays import RedisOverlayStore
from foldin_model.store.url import StoreUrl

_BATCH: Final = 1_000


class RedisModelStore:
    """A ModelStore on one server, made without I/O; it connects when it is first used."""

    def __init__(self, url: StoreUrl | str, namespace: str, *, timeout_s: float = 5.0) -> None:
        self._url = StoreUrl.of(url)
        self._keys = Keys(namespace)
        self._page_key: bytes | None = None
        self._client = connect(self._url, timeout_s)
        self.overlay = RedisOverlayStore(self._keys, self._run_commands)

    def pointer(self) -> Pointer:
        """Returns the pointer with the overlay's revision; None and 0 in an empty store."""
        match self._call("HMGET", self._keys.control, "current", "previous", "epoch", "overlay"):
            case [(bytes() | None) as current, (bytes() | None) as previous, *numbers]:
                epoch, overlay = (int(n) if isinstance(n, bytes) else 0 for n in numbers)
                return Pointer(_version(current), _version(previous), epoch, overlay)
            case reply:
                raise TypeError(f"HMGET answered {reply!r}")

    def move_pointer(self, version: Version, expected_epoch: int | None) -> Pointer:
        """Makes `version` current if the epoch is the expected one (None: any).

        A version that is current already changes nothing. Raises VersionConflict, VersionNotFound.
        """
        expected = "" if expected_epoch is None else expected_epoch
        match self._run(scripts.ACTIVATE, version, expected):
            case [b"UNKNOWN"]:
                raise _unknown(version)
            case [b"CONFLICT", bytes(epoch)]:
                raise VersionConflict(
                    f"the pointer is at epoch {int(epoch)}, not {expected_epoch}: look again"
                )
        return self.pointer()

    def versions(self) -> Sequence[tuple[Version, float]]:
        """Returns versions and their publish times in seconds since 1970, newest first."""
        match self._call("ZREVRANGE", self._keys.versions, 0, -1, "WITHSCORES"):
            case list(listed):
                names, scores = listed[::2], listed[1::2]
                return [
                    (Version(name.decode()), float(score))
                    for name, score in zip(names, scores, strict=True)
                ]
            case reply:
                raise TypeError(f"ZREVRANGE answered {reply!r}")

    def manifest(self, version: Version) -> bytes:
        """Returns the manifest as stored. Raises VersionNotFound."""
        found = self._get(self._keys.manifest(version))
        if found is None:
            raise _unknown(version)
        return found

    def put_chunk(self, version: Version, name: str, data: bytes) -> None:
        """Stores a chunk such as `items:0`."""
        self._call("SET", self._keys.chunk(version, name), data)

    def chunk(self, version: Version, name: str) -> bytes:
        """Returns the bytes of a chunk. Raises ArtifactCorrupt where it is missing."""
        found = self._get(self._keys.chunk(version, name))
        if found is None:
            raise ArtifactCorrupt(f"chunk {name} of version {version!r} is missing from the store")
        return found

    def put_users(self, version: Version, users: Iterable[tuple[UserId, bytes]]) -> None:
        """Stores packed trained users under the version, a batch a round trip."""
        commands: Iterator[Command] = (
            ("SET", self._keys.trained(version, user_id), packed) for user_id, packed in users
        )
        self._send(commands)

    def trained_user(self, version: Version, user_id: UserId) -> bytes | None:
        """Returns one packed trained user, None where the version has none of that id."""
        return self._get(self._keys.trained(version, user_id))

    def put_manifest(self, version: Version, manifest: bytes, published_at: float) -> None:
        """Stores the manifest and lists the version, atomically; from then on it exists."""
        self._create_namespace()
        self._pipeline(
            [
                ("SET", self._keys.manifest(version), manifest),
                ("ZADD", self._keys.versions, published_at, version),
            ],
            transaction=True,
        )

    def remove(self, version: Version, chunks: Sequence[str], users: Iterable[UserId]) -> None:
        """Removes a version by its names: off the list first, the manifest last.

        Raises VersionConflict if it is current.
        """
        self._unlist(version)
        keys = chain(
            (self._keys.trained(version, user_id) for user_id in users),
            (self._keys.chunk(version, name) for name in chunks),
            [self._keys.manifest(version)],
        )
        self._send(("UNLINK", key) for key in keys)

    def remove_damaged(self, version: Version) -> None:
        """Removes everything stored under a version, which scans all keys.

        Raises VersionConflict if it is current.
        """
        self._unlist(version)
        stem = self._keys.chunk(version, "").encode()
        with failures_as_unavailable(self._url):
            found = [
                name
                for name in self._client.scan_iter(stem + b"*", count=_BATCH)
                if isinstance(name, bytes) and name.startswith(stem)
            ]
        self._send(("UNLINK", name) for name in found)

    def page_key(self) -> bytes:
        """Returns the 32-byte key that signs page tokens; it is created with the namespace."""
        return self._create_namespace()

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _create_namespace(self) -> bytes:
        """Creates the namespace unless it exists; returns its page key. Raises StoreMismatch."""
        if self._page_key is None:
            (settings,) = self._pipeline([namespace_command(self._keys)])
            self._page_key = page_key_in(self._keys, settings)
        return self._page_key

    def _unlist(self, version: Version) -> None:
        if self._run(scripts.UNLIST, version) == [b"SERVES"]:
            raise VersionConflict(f"version {version!r} serves; activate another one first")

    def _get(self, key: str) -> bytes | None:
        found = self._call("GET", key)
        return found if isinstance(found, bytes) else None

    def _run(self, script: scripts.Script, *arguments: str | int) -> object:
        keys = (self._keys.control, self._keys.versions)
        return self._call("EVAL", script.text, len(keys), *keys, *arguments)

    def _call(self, *command: str | bytes | float) -> object:
        return self._run_commands([command])[0]

    def _run_commands(self, commands: Sequence[Command]) -> list[object]:
        self._create_namespace()
        return self._pipeline(commands)

    def _send(self, commands: Iterator[Command]) -> None:
        self._create_namespace()
        while batch := list(islice(commands, _BATCH)):
            self._pipeline(batch)

    def _pipeline(self, commands: Sequence[Command], *, transaction: bool = False) -> list[object]:
        with (
            failures_as_unavailable(self._url),
            self._client.pipeline(transaction=transaction) as pipeline,
        ):
            for command in commands:
                pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
            replies: list[object] = pipeline.execute()
            return replies


def _version(name: bytes | None) -> Version | None:
    return None if name is None else Version(name.decode())


def _unknown(version: Version) -> VersionNotFound:
    return VersionNotFound(version, f"there is no model version {version!r} in the store")
