"""Cold items: a tenth of the items is unknown to training and ranked by itself."""

import numpy as np
import pytest
from foldin_model.heads import Scale
from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.evaluation.genre_popularity import GenrePopularity
from foldin_trainer.evaluation.protocols import ProtocolSettings, Trial, trials
from tiny import tiny_dataset

RATINGS = tiny_dataset(users=60, items=80).ratings


def cold_trials(folds: int) -> list[Trial]:
    return list(trials("cold-items", RATINGS, ProtocolSettings(folds=folds)))


def test_cold_items_have_no_rating_in_training_and_alone_may_be_recommended() -> None:
    for trial in cold_trials(3):
        for case in trial.cases:
            allowed = np.setdiff1d(np.arange(len(RATINGS.item_ids)), case.masked_rows)
            assert set(case.hidden_rows.tolist()) <= set(allowed.tolist())
            assert not np.isin(trial.train.items, allowed).any()


def test_ten_folds_make_every_rated_item_cold_once() -> None:
    cases = [case for trial in cold_trials(10) for case in trial.cases]
    hidden = np.concatenate([case.hidden_rows for case in cases])
    assert np.array_equal(np.unique(hidden), np.unique(RATINGS.items))
    assert len(hidden) == len(RATINGS)


def test_the_popularity_of_genres_is_the_mean_count_of_their_rated_items() -> None:
    """Items a and b are dramas with 3 ratings and 1, c a comedy with 2, d and e have none."""
    items = ItemTable(
        titles=("a", "b", "c", "d", "e"),
        genres=(("Drama",), ("Drama",), ("Comedy",), ("Drama", "Comedy"), ("War",)),
        years=(None,) * 5,
    )
    rows = np.array([0, 0, 0, 1, 2, 2], np.int32)
    ratings = Ratings(
        user_ids=("1", "2", "3"),
        item_ids=("a", "b", "c", "d", "e"),
        users=np.array([0, 1, 2, 0, 0, 1], np.int32),
        items=rows,
        values=np.ones(6),
        timestamps=None,
        scale=Scale(1.0, 5.0),
    )
    scores = GenrePopularity.fit(ratings, items).scores
    assert scores == pytest.approx([2.0, 2.0, 2.0, 2.0, 2.0])
    ratings = ratings.take(np.array([0, 1, 2, 3, 4]))
    assert GenrePopularity.fit(ratings, items).scores == pytest.approx([2, 2, 1, 1.5, 5 / 3])
