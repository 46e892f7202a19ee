"""Model versions as files: `<directory>/<version>/` holds the manifest and the blob.

A folder is always complete: it is written under another name, flushed to disk, and renamed. Loading
maps the blob into memory.
"""

import mmap
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from foldin_model.artifact.chunks import check_chunk, check_chunks
from foldin_model.artifact.model_blob import unpack_model
from foldin_model.errors import ArtifactCorrupt
from foldin_model.file_lock import locked
from foldin_model.ids import Version
from foldin_model.store.protocols import ModelStore
from foldin_model.trained.derived_tables import DerivedTables
from foldin_model.trained.manifest import Chunk, Manifest
from foldin_model.trained.model import Model

MANIFEST_FILE: Final = "manifest.json"
MODEL_FILE: Final = "model.bin"
_UNFINISHED: Final = ".installing-"


def install(
    store: ModelStore, version: Version, directory: Path, *, thorough: bool = False
) -> Path:
    """Writes the version to `directory/<version>` unless it is there; returns the folder.

    A damaged folder is replaced. With `thorough` a folder is checked against its hashes, otherwise
    by size and header. Processes that install at the same time wait for each other. Raises
    VersionNotFound, ArtifactCorrupt.
    """
    document = store.manifest(version)
    manifest = Manifest.from_json(document)
    if manifest.version != version:
        raise ArtifactCorrupt(f"the manifest of version {version!r} is of {manifest.version!r}")
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / version
    with locked(directory / ".lock"):
        for left in directory.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(left)
        if _intact(target, document, thorough=thorough):
            return target
        scratch = Path(mkdtemp(prefix=_UNFINISHED, dir=directory))
        try:
            if target.exists():
                target.rename(scratch / "damaged")  # removed even if the store cannot replace it
            fresh = scratch / version
            fresh.mkdir()
            pieces = (fetch_chunk(store, version, chunk) for chunk in manifest.chunks_of("items"))
            _write_durably(fresh / MODEL_FILE, pieces)
            _write_durably(fresh / MANIFEST_FILE, [document])
            _sync_folder(fresh)
            fresh.rename(target)
            _sync_folder(directory)
        finally:
            shutil.rmtree(scratch)
    return target


def load(path: Path) -> tuple[Manifest, Model, DerivedTables]:
    """Loads the version in that folder; its arrays are views into the mapped file.

    Raises ArtifactCorrupt where header, size or shapes differ from the manifest; only `verify`
    reads every byte.
    """
    manifest, blob = _mapped(path)
    return manifest, *unpack_model(blob, manifest)


def verify(path: Path) -> None:
    """Checks every byte of an installed version against the hashes of its manifest.

    Raises ArtifactCorrupt. It takes about a second for each gigabyte.
    """
    manifest, blob = _mapped(path)
    check_chunks(blob, manifest.chunks_of("items"))


def _mapped(path: Path) -> tuple[Manifest, mmap.mmap]:
    try:
        manifest = Manifest.from_json((path / MANIFEST_FILE).read_bytes())
        with (path / MODEL_FILE).open("rb") as file:
            return manifest, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:  # an empty file cannot be mapped
        raise ArtifactCorrupt(f"version {path.name!r} cannot be read: {error}") from error


def fetch_chunk(store: ModelStore, version: Version, chunk: Chunk) -> bytes:
    """Fetches a chunk and checks its hash. Raises ArtifactCorrupt."""
    piece = store.chunk(version, chunk.name)
    check_chunk(chunk, piece)
    return piece


def _intact(target: Path, document: bytes, *, thorough: bool) -> bool:
    """Returns whether the folder holds this version, undamaged."""
    try:
        if (target / MANIFEST_FILE).read_bytes() != document:
            return False
        load(target)
        if thorough:
            verify(target)
    except (FileNotFoundError, ArtifactCorrupt):
        return False
    return True


def _write_durably(path: Path, pieces: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
