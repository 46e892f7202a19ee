"""Publishes model versions and chooses the current one.

A version exists once its manifest is stored, and serves once it is current. How it becomes files is
in `installation`, how it is listed and removed in `retention`.
"""

import json
import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from secrets import token_hex
from typing import Final

import numpy as np

from foldin_model.arrays import Doubles, Floats, Rows
from foldin_model.artifact.chunks import split_into_chunks
from foldin_model.artifact.model_blob import pack_model, schema_of, unpack_model
from foldin_model.errors import ArtifactCorrupt, VersionNotFound
from foldin_model.fold_in.fold_in import fold
from foldin_model.ids import Version
from foldin_model.index.bounds import Bounds, kind_for
from foldin_model.index.exact_index import Space, recall_of
from foldin_model.index.index_builder import APPROXIMATE_KINDS, build
from foldin_model.lifecycle.installation import fetch_chunk
from foldin_model.lifecycle.retention import user_ids
from foldin_model.store.protocols import ModelStore, Pointer
from foldin_model.trained.manifest import Manifest, Setting
from foldin_model.trained.model import Model
from foldin_model.trained.trained_users import TrainedUsers, pack_trained

RECALL_GATE: Final = 0.99
_GOLDEN_SEED: Final = 20_240_229
_GOLDEN_DEPTH: Final = 10
_LIBRARIES: Final = frozenset(("numpy", "scipy", "scikit-learn", "torch", "implicit", "faiss-cpu"))


@dataclass(frozen=True, slots=True)
class Description:
    """How a model was trained, for its manifest."""

    method: str
    rating_count: int
    seed: int
    data_hash: str
    metrics: Mapping[str, float]
    settings: Mapping[str, Setting]


@dataclass(frozen=True, slots=True, eq=False)
class _BuiltIndex:
    """An index to publish: its recall, and its bytes where it has any to store."""

    recall: float
    stored: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None" = None


def publish(
    model: Model,
    users: TrainedUsers,
    description: Description,
    store: ModelStore,
    *,
    golden: int = 32,
    index_kind: str | None = None,
    recall_gate: float = RECALL_GATE,
) -> Manifest:
    """Stores a new version, checks it, and returns its manifest; the version is not current yet.

    The version is read back: `golden` queries and histories from a fixed seed must give the same
    results as `model`, and as many trained users the same bytes. `index_kind` is by default the
    fastest exact kind for the number of items. Raises ArtifactCorrupt where anything differs, and
    removes what was stored. Raises ValueError where the index finds a smaller share of the best ten
    than `recall_gate`, over as many trained users; a flat index scores every row and is not
    measured.
    """
    kind = index_kind or kind_for(len(model.catalog))
    index = _build_index(model, kind, _sample_queries(model, users, golden), recall_gate)
    blob, sections = pack_model(model, index.stored)
    pieces = [
        *split_into_chunks("items", blob),
        *split_into_chunks("users", json.dumps(users.user_ids).encode()),
    ]
    created_at = time.time()
    manifest = Manifest(
        version=_version_name(created_at),
        created_at=created_at,
        method=description.method,
        user_count=len(users.user_ids),
        item_count=len(model.catalog),
        rating_count=description.rating_count,
        scale=model.scale,
        rating_mean=model.rating_mean,
        rating_weight=model.rating_weight,
        ranking_prior=tuple(model.ranking_prior.tolist()),
        rating_prior=tuple(model.rating_prior.tolist()),
        ranking_rule=model.ranking_rule,
        ranking_dimension=len(model.ranking_prior),
        rating_dimension=len(model.rating_prior),
        similarity_dimension=model.similarity.shape[1],
        index_kind=kind,
        index_recall=index.recall,
        sections=sections,
        chunks=tuple(chunk for chunk, _ in pieces),
        metrics=dict(description.metrics),
        settings=dict(description.settings),
        seed=description.seed,
        data_hash=description.data_hash,
        libraries=_libraries(),
        schema=schema_of(model),
    )
    document = manifest.to_json()
    version = Version(manifest.version)
    for chunk, piece in pieces:
        store.put_chunk(version, chunk.name, piece)
    store.put_users(version, pack_trained(users))
    try:
        _check_published(model, users, manifest, store, golden)
    except ArtifactCorrupt:
        store.remove(version, [chunk.name for chunk in manifest.chunks], users.user_ids)
        raise
    store.put_manifest(version, document, created_at)
    return manifest


def activate(store: ModelStore, version: Version, expected_epoch: int | None = None) -> Pointer:
    """Makes a version current, and the version that was current the previous one.

    Raises VersionNotFound, and VersionConflict where the epoch is not the expected one.
    """
    return store.move_pointer(version, expected_epoch)


def rollback(store: ModelStore) -> Pointer:
    """Makes the previous version current again. Raises VersionNotFound where there is none."""
    pointer = store.pointer()
    if pointer.previous is None:
        raise VersionNotFound("previous", "there is no previous version to roll back to")
    return store.move_pointer(pointer.previous, pointer.epoch)


def _check_published(
    model: Model, users: TrainedUsers, manifest: Manifest, store: ModelStore, golden: int
) -> None:
    version = Version(manifest.version)
    pieces = [fetch_chunk(store, version, chunk) for chunk in manifest.chunks_of("items")]
    reread, _ = unpack_model(b"".join(pieces), manifest)
    if user_ids(store, manifest) != list(users.user_ids):
        raise ArtifactCorrupt("the trained users read back are not those that were published")
    for number, query in enumerate(_golden_queries(model, golden)):
        if _answer(model, query) != _answer(reread, query):
            raise ArtifactCorrupt(f"golden query {number} gives another answer when read back")
    for number, (rows, values) in enumerate(_golden_histories(model, golden)):
        if _fold(model, rows, values) != _fold(reread, rows, values):
            raise ArtifactCorrupt(f"golden history {number} gives another vector when read back")
    rng = np.random.default_rng(_GOLDEN_SEED)
    sample = set(rng.permutation(len(users.user_ids))[:golden].tolist())
    for row, (user_id, packed) in enumerate(pack_trained(users)):
        if row in sample and store.trained_user(version, user_id) != packed:
            raise ArtifactCorrupt("a trained user read back is not the one that was published")


def _golden_queries(model: Model, count: int) -> Floats:
    rng = np.random.default_rng(_GOLDEN_SEED)
    return rng.standard_normal((count, model.dimension)).astype(np.float32)


def _golden_histories(model: Model, count: int) -> Iterator[tuple[Rows, Doubles]]:
    rng = np.random.default_rng(_GOLDEN_SEED)
    items = len(model.items)
    for _ in range(count if items else 0):
        rows = np.unique(rng.integers(items, size=_GOLDEN_DEPTH))
        yield rows.astype(np.int32), rng.uniform(model.scale.low, model.scale.high, len(rows))


def _sample_queries(model: Model, users: TrainedUsers, count: int) -> Floats:
    """Returns the queries of some trained users; where there are none, the golden ones."""
    if not users.user_ids:
        return _golden_queries(model, count)
    some = np.random.default_rng(_GOLDEN_SEED).permutation(len(users.user_ids))[:count]
    pairs = zip(users.ranking_vectors[some], users.rating_vectors[some], strict=True)
    queries = [model.query(ranking, rating) for ranking, rating in pairs]
    return np.array(queries, np.float32)


def _build_index(model: Model, kind: str, queries: Floats, gate: float) -> _BuiltIndex:
    if kind == "flat":
        return _BuiltIndex(1.0)  # it scores every row; measuring would import faiss
    if kind in APPROXIMATE_KINDS:
        built = build(kind, model.items, queries, _GOLDEN_DEPTH)
        made = _BuiltIndex(built.recall, built.stored)
    else:
        space = Space.of(model.items, Bounds.of(model.items, len(model.ranking_prior)), kind)
        made = _BuiltIndex(recall_of(space, queries, _GOLDEN_DEPTH))
    if made.recall < gate:
        raise ValueError(
            f"index {kind!r} finds {made.recall:.3f} of the best {_GOLDEN_DEPTH}, less than the "
            f"gate's {gate}; publish with an exact kind, 'flat' or 'pruned'"
        )
    return made


def _answer(model: Model, query: Floats) -> object:
    scores = model.items @ query
    rows = np.argsort(-scores, kind="stable")[:_GOLDEN_DEPTH]
    similar = model.similarity[rows] @ model.similarity[rows[0]]
    titles = [(model.catalog.item_ids[row], model.catalog.titles[row]) for row in rows]
    return titles, scores[rows].tolist(), similar.tolist()


def _fold(model: Model, rows: Rows, values: Doubles) -> list[list[float]]:
    heads = (model.ranking, model.rating)
    return [fold(head, rows, values, head.prior).vector.tolist() for head in heads]


def _version_name(created_at: float) -> str:
    when = datetime.fromtimestamp(created_at, UTC)
    return f"{when:%Y%m%d-%H%M%S}-{token_hex(4)}"


def _libraries() -> dict[str, str]:
    found = {d.name.lower(): d.version for d in metadata.distributions() if d.name}
    used = {name: version for name, version in found.items() if name in _LIBRARIES}
    return {"python": platform.python_version(), **used}
