"""A low rating lowers the scores of similar films."""

import numpy as np
import pytest
from foldin_model.arrays import Rows
from foldin_model.ids import ItemId
from foldin_model.personal.user_vectors import fold_user, query_of
from foldin_model.records.rating_history import History
from foldin_model.retrieval.search import search
from foldin_model.retrieval.similar_items import similar_items
from foldin_model.store.protocols import StoredUser
from foldin_model.trained.snapshot import Snapshot
from foldin_trainer.data import Dataset, Ratings
from foldin_trainer.evaluation.methods.served_model import published
from foldin_trainer.learning.training import train


@pytest.mark.slow
def test_the_minimum_instead_of_the_maximum_lowers_the_most_similar_films(
    tiny: Dataset,
) -> None:
    ratings = tiny.ratings
    snapshot = published(train(tiny), ratings)
    scale = snapshot.model.scale
    rated = np.flatnonzero(np.bincount(ratings.items, minlength=len(ratings.item_ids)))
    rng = np.random.default_rng(0)
    lowered = 0
    for _ in range(200):
        film = ratings.item_ids[int(rng.choice(rated))]
        user = int(rng.choice(np.unique(ratings.users)))
        row = snapshot.model.catalog.row(film)
        assert row is not None
        neighbors = similar_items(snapshot, row, None, 10).rows
        low, high = (
            _mean_rank(snapshot, _with(ratings, user, film, value), neighbors)
            for value in (scale.low, scale.high)
        )
        lowered += low > high
    assert lowered >= 190


def _with(ratings: Ratings, user: int, item_id: str, value: float) -> History:
    own = np.flatnonzero(ratings.users == user)
    items = (ratings.item_ids[row] for row in ratings.items[own])
    values = dict(zip(items, ratings.values[own].tolist(), strict=True)) | {item_id: value}
    stamps = np.zeros(len(values), np.int64)
    ids = tuple(ItemId(name) for name in values)
    return History.of(ids, np.array(list(values.values()), np.float64), stamps, stamps)


def _mean_rank(snapshot: Snapshot, history: History, rows: Rows) -> float:
    query = query_of(snapshot, fold_user(snapshot, StoredUser(1, history=history)))
    order = search(snapshot, query, None, len(snapshot)).rows
    return float(np.isin(order, rows).nonzero()[0].mean())
