"""Snapshots of the planted model, and stored users."""

from collections.abc import Mapping
from functools import cache

import numpy as np
from foldin_model.ids import ItemId
from foldin_model.records.rating_history import History
from foldin_model.store.protocols import StoredUser
from foldin_model.trained.manifest import Manifest
from foldin_model.trained.snapshot import Snapshot
from planted import Planted, planted


def manifest_of(made: Planted) -> Manifest:
    """Returns a manifest that fits the model, as a publisher writes it."""
    model = made.model
    return Manifest(
        version="planted",
        created_at=1_700_000_000.0,
        method="planted",
        user_count=len(made.users.user_ids),
        item_count=len(model.catalog),
        rating_count=int(made.users.rating_counts.sum()),
        scale=model.scale,
        rating_mean=model.rating_mean,
        rating_weight=model.rating_weight,
        ranking_prior=tuple(model.ranking_prior.tolist()),
        rating_prior=tuple(model.rating_prior.tolist()),
        ranking_rule=model.ranking_rule,
        ranking_dimension=len(model.ranking_prior),
        rating_dimension=len(model.rating_prior),
        similarity_dimension=model.similarity.shape[1],
        index_kind="flat",
        index_recall=1.0,
        sections=(),
        chunks=(),
        metrics={},
        settings={},
        seed=0,
        data_hash="",
        libraries={},
    )


@cache
def planted_snapshot(
    *, users: int = 40, items: int = 120, dimension: int = 8, whole: bool = False
) -> Snapshot:
    """Returns the snapshot of a planted model, as version "planted"."""
    made = planted(users=users, items=items, dimension=dimension, whole=whole)
    return Snapshot.build(manifest_of(made), made.model)


def state_of(
    ratings: Mapping[str, float], *, trained: bytes | None = None, revision: int = 7
) -> StoredUser:
    """Returns a stored user with these ratings, in this order."""
    none = np.zeros(len(ratings), np.int64)
    values = np.array(list(ratings.values()), np.float64)
    history = History.of(tuple(map(ItemId, ratings)), values, none, none)
    return StoredUser(revision, history=history, trained=trained)
