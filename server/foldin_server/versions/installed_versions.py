"""The installed versions that this process has mapped, and the check of their files.

So that a server starts quickly, installed files are mapped at once and checked against their hashes
afterwards. A version that was found damaged is checked before it is mapped again.
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
    """Versions in a directory, where other processes may install and repair versions too."""

    def __init__(self, store: ModelStore, directory: Path) -> None:
        self._store = store
        self._directory = directory
        self._files: dict[Version, int] = {}
        self._verified: set[Version] = set()
        self._damaged: set[Version] = set()

    def load(self, version: Version) -> tuple[Manifest, Model, DerivedTables]:
        """Returns the mapped version, which is fetched first if it is missing or damaged.

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
        """Returns whether the files of the version have been checked since they were loaded."""
        return version in self._verified

    def damage(self, version: Version) -> str:
        """Checks the files of a loaded version. Returns what is wrong with them, empty if nothing.

        Files other than those that were loaded count as damage: another process found the loaded
        ones damaged and has replaced them.
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
    """Returns the inode of the file with the version's vectors; a replaced file has another one."""
    return (path / MODEL_FILE).stat().st_ino
