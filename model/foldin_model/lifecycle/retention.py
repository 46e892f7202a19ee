"""Lists and removes model versions, in the store and on disk."""

import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from foldin_model.errors import ArtifactCorrupt, VersionNotFound
from foldin_model.ids import UserId, Version
from foldin_model.lifecycle.installation import MANIFEST_FILE, MODEL_FILE, fetch_chunk
from foldin_model.store.protocols import ModelStore
from foldin_model.trained.manifest import Manifest


class VersionState(StrEnum):
    """Whether a version is current, previous, or neither."""

    CURRENT = "current"
    PREVIOUS = "previous"
    AVAILABLE = "available"


@dataclass(frozen=True, slots=True)
class ListedVersion:
    """A version in the store and its state.

    Where its manifest cannot be read, `manifest` is None and `damage` says why.
    """

    version: Version
    state: VersionState
    manifest: Manifest | None
    damage: str = ""


def versions(store: ModelStore) -> Sequence[ListedVersion]:
    """Returns all versions in the store, damaged ones too, newest first."""
    pointer = store.pointer()
    states = {pointer.previous: VersionState.PREVIOUS, pointer.current: VersionState.CURRENT}
    listed = []
    for version, _ in store.versions():
        with suppress(VersionNotFound):  # removed in the meantime
            listed.append(_listed(store, version, states.get(version, VersionState.AVAILABLE)))
    return listed


def remove(store: ModelStore, version: Version, directory: Path | None = None) -> None:
    """Removes a version from the store, and from `directory` where one is given.

    If its manifest is damaged, its keys are found by a scan of all keys. Raises VersionNotFound,
    and VersionConflict if the version is current.
    """
    try:
        manifest = _manifest(store, version)
        users = user_ids(store, manifest)
    except ArtifactCorrupt:
        store.remove_damaged(version)
    else:
        store.remove(version, [chunk.name for chunk in manifest.chunks], users)
    if directory is not None:
        uninstall(version, directory)


def installed(directory: Path) -> list[Version]:
    """Returns the versions in `directory`, damaged ones too, but no folder with other files."""
    ours = {MANIFEST_FILE, MODEL_FILE}
    folders = [folder for folder in directory.glob("[!.]*") if folder.is_dir()]
    return sorted(
        Version(folder.name)
        for folder in folders
        if {path.name for path in folder.iterdir()} <= ours
    )


def uninstall(version: Version, directory: Path) -> None:
    """Removes a version from `directory`; a server that has mapped its files can still use them."""
    with suppress(FileNotFoundError):
        shutil.rmtree(directory / version)


def user_ids(store: ModelStore, manifest: Manifest) -> list[UserId]:
    """Returns the users that the version was trained with. Raises ArtifactCorrupt."""
    version = Version(manifest.version)
    pieces = [fetch_chunk(store, version, chunk) for chunk in manifest.chunks_of("users")]
    return [UserId(name) for name in json.loads(b"".join(pieces))]


def _listed(store: ModelStore, version: Version, state: VersionState) -> ListedVersion:
    try:
        return ListedVersion(version, state, _manifest(store, version))
    except ArtifactCorrupt as error:
        return ListedVersion(version, state, None, str(error))


def _manifest(store: ModelStore, version: Version) -> Manifest:
    """Reads the manifest. Raises ArtifactCorrupt for a listed version, else VersionNotFound."""
    try:
        manifest = Manifest.from_json(store.manifest(version))
    except VersionNotFound:
        if all(version != listed for listed, _ in store.versions()):
            raise
        raise ArtifactCorrupt("the manifest is missing") from None
    if manifest.version != version:
        raise ArtifactCorrupt(f"the manifest is of version {manifest.version!r}")
    return manifest
