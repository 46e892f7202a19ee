"""Versions are listed, damaged ones too, and removed with everything stored under them."""

from pathlib import Path

import pytest
from foldin_model.errors import ArtifactCorrupt, VersionConflict, VersionNotFound
from foldin_model.ids import UserId, Version
from foldin_model.lifecycle import installation, publisher, retention
from foldin_model.lifecycle.retention import VersionState
from foldin_model.store.protocols import ModelStore, Pointer
from planted import Planted
from published import publish


def test_versions_are_listed_newest_first_with_their_states(
    store: ModelStore, small: Planted
) -> None:
    names = [publish(store, small, rating_mean=mean) for mean in (3.0, 3.1, 3.2)]
    publisher.activate(store, names[0])
    publisher.activate(store, names[2])
    listed = retention.versions(store)
    assert [one.manifest and one.manifest.version for one in listed] == names[::-1]
    assert [(one.version, one.state) for one in listed] == [
        (names[2], VersionState.CURRENT),
        (names[1], VersionState.AVAILABLE),
        (names[0], VersionState.PREVIOUS),
    ]


def test_a_removed_version_leaves_nothing_behind(
    store: ModelStore, small: Planted, tmp_path: Path
) -> None:
    one, two = publish(store, small), publish(store, small, rating_mean=3.0)
    publisher.activate(store, one)
    publisher.activate(store, two)
    path = installation.install(store, one, tmp_path)
    with pytest.raises(VersionConflict):
        retention.remove(store, two, tmp_path)
    retention.remove(store, one, tmp_path)
    assert not path.exists()
    assert store.pointer() == Pointer(two, None, 3)
    assert [name for name, _ in store.versions()] == [two]
    assert store.trained_user(one, UserId("1")) is None
    with pytest.raises(ArtifactCorrupt):
        store.chunk(one, "items:0")
    with pytest.raises(VersionNotFound):
        retention.remove(store, one)
    installation.install(store, two, tmp_path)


def damage(store: ModelStore, version: Version, how: str) -> None:
    """Removes the manifest, half of it, or the users' ids, or stores that of another version."""
    if how == "users":
        store.put_chunk(version, "users:0", b"[]")
        return
    published = dict(store.versions())[version]
    whole = store.manifest(version)
    other = whole.replace(version.encode(), b"another")
    damaged = {"empty": b"", "half": whole[: len(whole) // 2], "other": other}[how]
    store.put_manifest(version, damaged, published)


@pytest.mark.parametrize("how", ["empty", "half", "other"])
def test_a_damaged_manifest_hides_no_other_version(
    store: ModelStore, small: Planted, how: str
) -> None:
    names = [publish(store, small) for _ in range(3)]
    damage(store, names[1], how)
    listed = retention.versions(store)
    assert [one.version for one in listed] == names[::-1]
    assert [one.manifest is None for one in listed] == [False, True, False]
    assert "the manifest" in listed[1].damage


@pytest.mark.parametrize("how", ["empty", "half", "other", "users"])
def test_a_damaged_version_is_removed_with_everything_stored_under_it(
    store: ModelStore, small: Planted, tmp_path: Path, how: str
) -> None:
    one, two = publish(store, small), publish(store, small)
    path = installation.install(store, one, tmp_path)
    publisher.activate(store, one)
    damage(store, one, how)
    with pytest.raises(VersionConflict):
        retention.remove(store, one, tmp_path)
    publisher.activate(store, two)
    retention.remove(store, one, tmp_path)
    assert not path.exists()
    assert [name for name, _ in store.versions()] == [two]
    assert store.trained_user(one, UserId("1")) is None
    assert store.trained_user(two, UserId("1")) is not None
    with pytest.raises(ArtifactCorrupt):
        store.chunk(one, "items:0")
    with pytest.raises(VersionNotFound):
        store.manifest(one)
    installation.install(store, two, tmp_path)
