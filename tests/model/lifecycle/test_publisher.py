"""A version is published and installed completely, and refused where a single bit is wrong."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from foldin_model.arrays import Floats, Mask
from foldin_model.errors import ArtifactCorrupt, VersionConflict, VersionNotFound
from foldin_model.fold_in.fold_in import fold
from foldin_model.ids import UserId, Version
from foldin_model.index import exact_index
from foldin_model.index.exact_index import FlatIndex, Proposal
from foldin_model.lifecycle import installation, publisher
from foldin_model.store.memory.models import MemoryModelStore
from foldin_model.store.protocols import ModelStore, Pointer
from foldin_model.trained.snapshot import Snapshot
from foldin_model.trained.trained_users import unpack_trained
from planted import Planted, planted
from published import ABOUT, assert_equal_models, publish


def test_a_published_model_is_installed_and_loaded_unchanged(
    store: ModelStore, small: Planted, tmp_path: Path
) -> None:
    version = publish(store, small)
    path = installation.install(store, version, tmp_path)
    assert path == tmp_path / version
    manifest, model, _ = installation.load(path)
    assert_equal_models(model, small.model)
    assert (manifest.version, manifest.metrics, manifest.settings) == (
        version,
        ABOUT.metrics,
        ABOUT.settings,
    )
    assert (manifest.user_count, manifest.item_count) == (40, 120)
    assert "numpy" in manifest.libraries


def test_a_model_with_encoders_is_installed_and_refused_where_they_are_damaged(
    store: ModelStore, tmp_path: Path
) -> None:
    made = planted(whole=True)
    version = publish(store, made)
    path = installation.install(store, version, tmp_path)
    installation.verify(path)
    manifest, model, _ = installation.load(path)
    assert manifest.schema == 2
    np.testing.assert_array_equal(model.item_rows, made.model.item_rows)
    rows, values = next(iter(made.histories.values()))
    for read, given in ((model.ranking, made.model.ranking), (model.rating, made.model.rating)):
        np.testing.assert_array_equal(
            fold(read, rows, values, read.prior).vector,
            fold(given, rows, values, given.prior).vector,
        )
    place = next(s.offset for s in manifest.sections if s.name == "ranking_lead.vectors")
    with (path / "model.bin").open("r+b") as file:
        file.seek(place)
        file.write(b"\x01")
    with pytest.raises(ArtifactCorrupt, match="sha256"):
        installation.verify(path)


def test_a_loaded_model_is_a_read_only_view_of_the_file(
    store: ModelStore, small: Planted, tmp_path: Path
) -> None:
    _, model, _ = installation.load(installation.install(store, publish(store, small), tmp_path))
    for array in (model.items, model.similarity, model.catalog.rating_counts):
        assert not array.flags.owndata
        assert not array.flags.writeable
        assert array.ctypes.data % 64 == 0
    assert model.items.flags.c_contiguous


def test_every_trained_user_is_published(store: ModelStore, small: Planted) -> None:
    version = publish(store, small)
    packed = store.trained_user(version, UserId("7"))
    assert packed is not None
    (trained,) = unpack_trained([packed], 8, 8)
    np.testing.assert_array_equal(trained["ranking_vector"], small.users.ranking_vectors[6])
    assert store.trained_user(version, UserId("nobody")) is None


def test_a_published_version_does_not_serve_until_it_is_activated(
    store: ModelStore, small: Planted
) -> None:
    version = publish(store, small)
    assert store.pointer() == Pointer(None, None, 0)
    assert publisher.activate(store, version, 0) == Pointer(version, None, 1)
    assert store.pointer() == Pointer(version, None, 1)


def test_activation_is_fenced_by_the_epoch(store: ModelStore, small: Planted) -> None:
    one, two = publish(store, small), publish(store, small, rating_mean=3.0)
    publisher.activate(store, one)
    with pytest.raises(VersionConflict, match="epoch 1, not 0"):
        publisher.activate(store, two, 0)
    assert publisher.activate(store, two, 1) == Pointer(two, one, 2)
    assert publisher.activate(store, two) == Pointer(two, one, 2)
    with pytest.raises(VersionNotFound):
        publisher.activate(store, Version("v0"))


def test_rollback_flips_to_the_previous_version_and_back(store: ModelStore, small: Planted) -> None:
    with pytest.raises(VersionNotFound):
        publisher.rollback(store)
    one, two = publish(store, small), publish(store, small, rating_mean=3.0)
    publisher.activate(store, one)
    publisher.activate(store, two)
    assert publisher.rollback(store) == Pointer(one, two, 3)
    assert publisher.rollback(store) == Pointer(two, one, 4)


def test_the_page_key_does_not_change(store: ModelStore) -> None:
    assert len(store.page_key()) == 32
    assert store.page_key() == store.page_key()


class LyingStore(MemoryModelStore):
    """A store that changes one bit of a chunk."""

    def put_chunk(self, version: Version, name: str, data: bytes) -> None:
        super().put_chunk(version, name, data[:-1] + bytes([data[-1] ^ 1]))


def test_a_version_that_differs_when_read_back_is_not_published(small: Planted) -> None:
    store = LyingStore()
    with pytest.raises(ArtifactCorrupt):
        publish(store, small)
    assert store.versions() == []
    assert not store._chunks
    assert not store._users


class ForgetfulStore(MemoryModelStore):
    """A store that loses the trained users."""

    def trained_user(self, version: Version, user_id: UserId) -> bytes | None:
        return super().trained_user(version, UserId(f"not {user_id}"))


def test_users_that_differ_when_read_back_stop_the_publishing(small: Planted) -> None:
    with pytest.raises(ArtifactCorrupt, match="trained user"):
        publish(ForgetfulStore(), small)


def test_a_large_model_is_split_into_chunks_of_four_mebibytes(small: Planted) -> None:
    model = replace(small.model, similarity=np.zeros((120, 20_000), np.float32))
    manifest = publisher.publish(model, small.users, ABOUT, MemoryModelStore())
    sizes = [chunk.size_bytes for chunk in manifest.chunks_of("items")]
    assert sizes[:2] == [4 * 1024 * 1024] * 2
    assert len(sizes) == 3


class LazyIndex(FlatIndex):
    """An index that misses every tenth row."""

    def search(self, query: Floats, count: int, allowed: Mask | None, below: float) -> Proposal:
        rows, scores, rest = super().search(query, count, allowed, below)
        kept = rows % 10 != 0
        return Proposal(rows[kept], scores[kept], rest)


def test_an_index_below_the_gate_is_not_published(
    small: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        exact_index,
        "KINDS",
        {**exact_index.KINDS, "lazy": lambda vectors, _: LazyIndex(vectors)},
    )
    with pytest.raises(ValueError, match=r"'lazy' finds 0\.8\d+ of the best 10, less than .*0\.99"):
        publisher.publish(small.model, small.users, ABOUT, MemoryModelStore(), index_kind="lazy")
    manifest = publisher.publish(
        small.model, small.users, ABOUT, MemoryModelStore(), index_kind="lazy", recall_gate=0.8
    )
    assert manifest.index_kind == "lazy"
    assert 0.8 <= manifest.index_recall < 0.99


@pytest.mark.parametrize("kind", ["flat", "pruned"])
def test_the_manifest_has_the_measured_recall_of_the_index(small: Planted, kind: str) -> None:
    store = MemoryModelStore()
    manifest = publisher.publish(small.model, small.users, ABOUT, store, index_kind=kind)
    assert (manifest.index_kind, manifest.index_recall) == (kind, 1.0)
    space = Snapshot.build(manifest, small.model).retrieval
    assert type(space.index).__name__.casefold() == f"{kind}index"


def test_an_unknown_kind_of_index_is_refused(small: Planted) -> None:
    manifest = publisher.publish(small.model, small.users, ABOUT, MemoryModelStore())
    with pytest.raises(ArtifactCorrupt, match="index 'odd'"):
        Snapshot.build(replace(manifest, index_kind="odd"), small.model)
