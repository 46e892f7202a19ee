"""Files of a version are checked against their hashes once after each time they are mapped."""

from pathlib import Path

from foldin_model.ids import Version
from foldin_model.store.memory.models import MemoryModelStore
from foldin_server.versions.installed_versions import InstalledVersions
from planted import Planted
from published import publish


def loaded(made: Planted, directory: Path) -> tuple[InstalledVersions, Version]:
    store = MemoryModelStore()
    version = publish(store, made)
    installed = InstalledVersions(store, directory)
    installed.load(version)
    return installed, version


def flip(file: Path) -> None:
    """Replaces a file by a copy with one bit changed."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    other = file.with_suffix(".new")
    other.write_bytes(content)
    other.replace(file)


def test_a_version_is_verified_once_after_each_time_it_is_loaded(
    small: Planted, tmp_path: Path
) -> None:
    installed, version = loaded(small, tmp_path)
    assert not installed.is_verified(version)
    assert installed.damage(version) == ""
    assert installed.is_verified(version)
    flip(tmp_path / version / "model.bin")
    installed.load(version)
    assert not installed.is_verified(version)
    assert "items:0" in installed.damage(version)
    assert not installed.is_verified(version)


def test_a_damaged_version_is_verified_before_it_is_mapped_again(
    small: Planted, tmp_path: Path
) -> None:
    installed, version = loaded(small, tmp_path)
    flip(tmp_path / version / "model.bin")
    assert installed.damage(version)
    installed.load(version)
    assert installed.is_verified(version)
    assert installed.damage(version) == ""
