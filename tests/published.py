"""The planted model, published as a version."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from foldin_model.ids import Version
from foldin_model.lifecycle import publisher
from foldin_model.lifecycle.publisher import Description
from foldin_model.store.protocols import ModelStore
from foldin_model.trained.model import Model
from planted import Planted

ABOUT = Description(
    method="planted",
    rating_count=600,
    seed=7,
    data_hash="abc",
    metrics={"ndcg@10": 0.25},
    settings={"dimension": 8, "device": None, "early": True, "name": "é"},
)


def publish(store: ModelStore, small: Planted, rating_mean: float = 3.5) -> Version:
    model = replace(small.model, rating_mean=rating_mean)
    return Version(publisher.publish(model, small.users, ABOUT, store).version)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def assert_equal_models(left: Model, right: Model) -> None:
    np.testing.assert_array_equal(left.items, right.items)
    np.testing.assert_array_equal(left.similarity, right.similarity)
    for name in ("item_ids", "titles", "genres", "years", "clusters"):
        assert tuple(getattr(left.catalog, name)) == tuple(getattr(right.catalog, name))
    for name in ("rating_counts", "rating_means", "cluster_ids"):
        np.testing.assert_array_equal(getattr(left.catalog, name), getattr(right.catalog, name))
    np.testing.assert_array_equal(left.ranking_prior, right.ranking_prior)
    np.testing.assert_array_equal(left.rating_prior, right.rating_prior)
    for name in ("scale", "rating_mean", "rating_weight", "ranking_rule"):
        assert getattr(left, name) == getattr(right, name)
