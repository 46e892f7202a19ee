"""A version is installed completely or not at all, and an undamaged folder is left alone."""

import os
import shutil
import threading
from pathlib import Path

import pytest
from foldin_model.errors import ArtifactCorrupt
from foldin_model.lifecycle import installation
from foldin_model.store.memory.models import MemoryModelStore
from foldin_model.trained.model import Model
from planted import Planted
from published import assert_equal_models, names_in, publish


def test_installing_again_leaves_an_intact_folder_alone(small: Planted, tmp_path: Path) -> None:
    store = MemoryModelStore()
    version = publish(store, small)
    before = (installation.install(store, version, tmp_path) / "model.bin").stat()
    after = (installation.install(store, version, tmp_path) / "model.bin").stat()
    assert after.st_ino == before.st_ino
    assert names_in(tmp_path) == [".lock", version]


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "missing", "manifest"])
def test_a_damaged_folder_is_refused_and_then_replaced(
    small: Planted, tmp_path: Path, damage: str
) -> None:
    store = MemoryModelStore()
    version = publish(store, small)
    path = installation.install(store, version, tmp_path)
    file = path / "model.bin"
    if damage == "flip":
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    elif damage == "truncate":
        os.truncate(file, file.stat().st_size - 1)
    elif damage == "empty":
        os.truncate(file, 0)
    elif damage == "missing":
        file.unlink()
    else:
        (path / "manifest.json").write_text("{}")
    with pytest.raises(ArtifactCorrupt):
        installation.verify(path)
    if damage != "flip":
        with pytest.raises(ArtifactCorrupt):
            installation.load(path)
    again = installation.install(store, version, tmp_path, thorough=damage == "flip")
    assert_equal_models(installation.load(again)[1], small.model)
    installation.verify(again)


@pytest.mark.parametrize("damage", [b"", b"\0" * 100])
def test_a_damaged_chunk_is_not_installed(small: Planted, tmp_path: Path, damage: bytes) -> None:
    store = MemoryModelStore()
    version = publish(store, small)
    store.put_chunk(version, "items:0", damage)
    with pytest.raises(ArtifactCorrupt, match="items:0"):
        installation.install(store, version, tmp_path)
    assert names_in(tmp_path) == [".lock"]


def test_leftovers_of_a_killed_installer_are_removed(small: Planted, tmp_path: Path) -> None:
    store = MemoryModelStore()
    version = publish(store, small)
    (tmp_path / ".installing-left").mkdir()
    (tmp_path / ".installing-left" / "model.bin").write_bytes(b"half")
    installation.install(store, version, tmp_path)
    assert names_in(tmp_path) == [".lock", version]


def test_concurrent_installers_all_find_it_complete(small: Planted, tmp_path: Path) -> None:
    store = MemoryModelStore()
    version = publish(store, small)
    loaded: list[Model] = []

    def install() -> None:
        loaded.append(installation.load(installation.install(store, version, tmp_path))[1])

    threads = [threading.Thread(target=install) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loaded) == 6


def test_a_mapped_model_outlives_its_folder(small: Planted, tmp_path: Path) -> None:
    store = MemoryModelStore()
    path = installation.install(store, publish(store, small), tmp_path)
    _, model, _ = installation.load(path)
    shutil.rmtree(path)
    assert_equal_models(model, small.model)
