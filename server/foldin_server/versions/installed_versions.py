"""The versions that this process has mapped, and whether their files are what they were made as.

What is found installed is mapped at once, for a server is to start quickly, and held against its
hashes afterwards. What was found damaged is not mapped again before every bit of it is known.
"""

from pathlib import Path

from foldin_model.errors import ArtifactCorrupt
from foldin_model.ids import Version
from foldin_model.lifecycle import installation
from foldin_model.lifecycle.installation import MODEL_FILE
from foldin_model.store.protocols import ModelStore
from foldin_model.trained.derived_tables import DerivedTables
from foldin_model.trained.manifest import Manifest
from foldin_model.trained.model import Model


class InstalledVersions:
    """Versions in a directory that other processes may fetch into, and mend, as well."""

    def __init__(self, store: ModelStore, directory: Path) -> None:
        self._store = store
        self._directory = directory
        self._files: dict[Version, int] = {}
        self._verified: set[Version] = set()
        self._damaged: set[Version] = set()

    def load(self, version: Version) -> tuple[Manifest, Model, DerivedTables]:
        """The version, fetched where it is not there or damaged.

        Raises StoreUnavailable, VersionNotFound and ArtifactCorrupt.
        """
        thorough = version in self._damaged
        path = installation.install(self._store, version, self._directory, thorough=thorough)
        self._files[version] = _file_of(path)
        loaded = installation.load(path)
        self._damaged.discard(version)
        (self._verified.add if thorough else self._verified.discard)(version)
        return loaded

    def is_verified(self, version: Version) -> bool:
        """Whether every bit of the version was right when it was looked at since it was loaded."""
        return version in self._verified

    def damage(self, version: Version) -> str:
        """What is wrong with the loaded version; empty where every bit is right.

        Files that are others than those that were loaded count: another process, which found them
        damaged, has replaced them.
        """
        found = self._damage(version)
        (self._damaged if found else self._verified).add(version)
        return found

    def _damage(self, version: Version) -> str:
        path = self._directory / version
        try:
            installation.verify(path)
            file = _file_of(path)
        except (FileNotFoundError, ArtifactCorrupt) as error:
            return str(error)
        return "" if file == self._files[version] else f"version {version!r} was written anew"


def _file_of(path: Path) -> int:
    """Which file the version's vectors are in; a file that was written anew is another."""
    return (path / MODEL_FILE).stat().st_ino
