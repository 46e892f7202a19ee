"""The model versions that are kept, in a store and as files: what there is, and how it goes.

How a version comes about is `foldin_model.lifecycle.publisher`, which offers all of this as well.
"""

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
    """What a version is for at the moment."""

    CURRENT = "current"
    PREVIOUS = "previous"
    AVAILABLE = "available"


@dataclass(frozen=True, slots=True)
class ListedVersion:
    """A version in the store and what it is for.

    Where it has no manifest that can be read, `damage` says why; it can't be served then.
    """

    version: Version
    state: VersionState
    manifest: Manifest | None
    damage: str = ""


def versions(store: ModelStore) -> Sequence[ListedVersion]:
    """All versions in the store, damaged ones too, newest first."""
    pointer = store.pointer()
    states = {pointer.previous: VersionState.PREVIOUS, pointer.current: VersionState.CURRENT}
    listed = []
    for version, _ in store.versions():
        with suppress(VersionNotFound):  # it was removed meanwhile
            listed.append(_listed(store, version, states.get(version, VersionState.AVAILABLE)))
    return listed


def remove(store: ModelStore, version: Version, directory: Path | None = None) -> None:
    """The version is gone from the store, and from `directory` where one is given.

    The keys of one that is too damaged to name them are looked for among all. Raises
    VersionNotFound, and VersionConflict if it serves.
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
    """The versions that lie in `directory`, intact or not; no folder that holds anything else."""
    ours = {MANIFEST_FILE, MODEL_FILE}
    folders = [folder for folder in directory.glob("[!.]*") if folder.is_dir()]
    return sorted(
        Version(folder.name)
        for folder in folders
        if {path.name for path in folder.iterdir()} <= ours
    )


def uninstall(version: Version, directory: Path) -> None:
    """The version is no longer in `directory`; a server that has mapped its files keeps them."""
    with suppress(FileNotFoundError):
        shutil.rmtree(directory / version)


def user_ids(store: ModelStore, manifest: Manifest) -> list[UserId]:
    """The users that the version was trained with. Raises ArtifactCorrupt."""
    version = Version(manifest.version)
    pieces = [fetch_chunk(store, version, chunk) for chunk in manifest.chunks_of("users")]
    return [UserId(name) for name in json.loads(b"".join(pieces))]


def _listed(store: ModelStore, version: Version, state: VersionState) -> ListedVersion:
    try:
        return ListedVersion(version, state, _manifest(store, version))
    except ArtifactCorrupt as error:
        return ListedVersion(version, state, None, str(error))


def _manifest(store: ModelStore, version: Version) -> Manifest:
    """The version's own manifest. Raises VersionNotFound; of a version listed, ArtifactCorrupt."""
    try:
        manifest = Manifest.from_json(store.manifest(version))
    except VersionNotFound:
        if all(version != listed for listed, _ in store.versions()):
            raise
        raise ArtifactCorrupt("the manifest is missing") from None
    if manifest.version != version:
        raise ArtifactCorrupt(f"the manifest is of version {manifest.version!r}")
    return manifest
