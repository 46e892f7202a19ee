"""Published models in memory, with the same results as those in Redis."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace

from foldin_model.errors import ArtifactCorrupt, VersionConflict, VersionNotFound
from foldin_model.ids import UserId, Version
from foldin_model.store.keys import PAGE_KEY_BYTES
from foldin_model.store.memory.overlays import MemoryOverlayStore
from foldin_model.store.protocols import Pointer


class MemoryModelStore:
    """A ModelStore in dictionaries."""

    def __init__(self) -> None:
        self.overlay = MemoryOverlayStore()
        self._published: dict[Version, float] = {}
        self._manifests: dict[Version, bytes] = {}
        self._chunks: dict[tuple[Version, str], bytes] = {}
        self._users: dict[tuple[Version, UserId], bytes] = {}
        self._pointer = Pointer(None, None, 0)
        self._page_key = os.urandom(PAGE_KEY_BYTES)

    def pointer(self) -> Pointer:
        """Returns the pointer with the overlay's revision; None and 0 in an empty store."""
        return replace(self._pointer, overlay_revision=self.overlay.revision)

    def move_pointer(self, version: Version, expected_epoch: int | None) -> Pointer:
        """Makes `version` current if the epoch is the expected one (None: any).

        Raises VersionConflict, VersionNotFound.
        """
        if version not in self._published:
            raise VersionNotFound(version, f"there is no model version {version!r}")
        pointer = self._pointer
        if expected_epoch not in (None, pointer.epoch):
            raise VersionConflict(
                f"the pointer is at epoch {pointer.epoch}, not {expected_epoch}: look again"
            )
        if version != pointer.current:
            self._pointer = Pointer(version, pointer.current, pointer.epoch + 1)
        return self._pointer

    def versions(self) -> Sequence[tuple[Version, float]]:
        """Returns versions and their publish times in seconds since 1970, newest first."""
        return sorted(self._published.items(), key=lambda item: (item[1], item[0]), reverse=True)

    def manifest(self, version: Version) -> bytes:
        """Returns the manifest as stored. Raises VersionNotFound."""
        if version not in self._manifests:
            raise VersionNotFound(version, f"there is no model version {version!r}")
        return self._manifests[version]

    def put_chunk(self, version: Version, name: str, data: bytes) -> None:
        """Stores a chunk."""
        self._chunks[version, name] = bytes(data)

    def chunk(self, version: Version, name: str) -> bytes:
        """Returns the bytes of a chunk. Raises ArtifactCorrupt where it is missing."""
        if (version, name) not in self._chunks:
            raise ArtifactCorrupt(f"chunk {name} of version {version!r} is missing from the store")
        return self._chunks[version, name]

    def put_users(self, version: Version, users: Iterable[tuple[UserId, bytes]]) -> None:
        """Stores packed trained users under the version."""
        for user_id, packed in users:
            self._users[version, user_id] = packed

    def trained_user(self, version: Version, user_id: UserId) -> bytes | None:
        """Returns one packed trained user, None where the version has none of that id."""
        return self._users.get((version, user_id))

    def put_manifest(self, version: Version, manifest: bytes, published_at: float) -> None:
        """Stores the manifest and lists the version; from then on it exists."""
        self._manifests[version] = manifest
        self._published[version] = published_at

    def remove(self, version: Version, chunks: Sequence[str], users: Iterable[UserId]) -> None:
        """Removes a version. Raises VersionConflict if it is current."""
        pointer = self._pointer
        if version == pointer.current:
            raise VersionConflict(f"version {version!r} serves; activate another one first")
        if version == pointer.previous:
            self._pointer = Pointer(pointer.current, None, pointer.epoch + 1)
        self._published.pop(version, None)
        for user_id in users:
            self._users.pop((version, user_id), None)
        for name in chunks:
            self._chunks.pop((version, name), None)
        self._manifests.pop(version, None)

    def remove_damaged(self, version: Version) -> None:
        """Removes everything stored under a version. Raises VersionConflict if it is current."""
        chunks = [name for stored, name in self._chunks if stored == version]
        users = [user_id for stored, user_id in self._users if stored == version]
        self.remove(version, chunks, users)

    def page_key(self) -> bytes:
        """Returns the 32-byte key that signs page tokens."""
        return self._page_key

    def close(self) -> None:
        """Does nothing: there is no connection."""
