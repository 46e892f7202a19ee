"""The linear encoder: its start against dense EASE, and what training learns of planted tastes."""

from dataclasses import replace

import numpy as np
import pytest
from foldin_model.arrays import Doubles
from foldin_trainer.data import Dataset, Ratings
from foldin_trainer.data.splits import held_out_users
from foldin_trainer.learning.ranking_heads.encoder.batches import Histories
from foldin_trainer.learning.ranking_heads.encoder.settings import EncoderSettings
from foldin_trainer.learning.ranking_heads.encoder.start import ItemWeights, start
from foldin_trainer.learning.ranking_heads.encoder.trainer import train_encoder
from foldin_trainer.learning.ranking_heads.ranking_head import Look
from foldin_trainer.metrics.cases import make_cases

QUICK = EncoderSettings(dimension=8, start_l2=10.0, batch_users=16, epochs=10)


def dense_ease(interactions: Doubles, l2: float) -> Doubles:
    inverse = np.linalg.inv(interactions.T @ interactions + l2 * np.eye(interactions.shape[1]))
    return np.asarray(np.eye(len(inverse)) - inverse / np.diag(inverse), np.float64)


def test_item_weights_are_those_of_dense_ease(tiny: Dataset) -> None:
    interactions = Histories.of(tiny.ratings).interactions
    wanted = dense_ease(interactions.toarray(), 10.0)
    weights = ItemWeights.fit(interactions, 10.0)
    vectors = np.random.default_rng(0).normal(size=(len(wanted), 3))
    assert np.allclose(weights.times(vectors), wanted @ vectors)
    assert np.allclose(weights.transposed_times(vectors), wanted.T @ vectors)


def test_the_start_scores_as_ease_and_orders_new_users_by_popularity(tiny: Dataset) -> None:
    interactions = Histories.of(tiny.ratings).interactions[:60]
    users, items = interactions.shape
    initial = start(interactions, min(users, items), l2=10.0, sharpness=2.0, seed=0)
    ease = 2.0 * interactions.toarray() @ dense_ease(interactions.toarray(), 10.0)
    found = interactions @ initial.inputs @ initial.items.T
    assert np.linalg.norm(found - ease) < 0.05 * np.linalg.norm(ease)
    popularity = interactions.toarray().sum(axis=0)
    newcomer = initial.items @ initial.prior
    assert np.array_equal(
        np.argsort(newcomer, kind="stable"), np.argsort(popularity, kind="stable")
    )


def test_every_rating_of_a_batch_is_either_given_or_wanted(tiny: Dataset) -> None:
    histories = Histories.of(tiny.ratings)
    seen = np.zeros(len(tiny.ratings), np.int64)
    users = 0
    for batch in histories.batches(np.random.default_rng(0), 7, (0.3, 0.6)):
        users += batch.users
        np.add.at(seen, batch.given, 1)
        np.add.at(seen, batch.wanted, 1)
        for positions, owners in (
            (batch.given, batch.given_users),
            (batch.wanted, batch.wanted_users),
        ):
            assert (np.diff(owners) >= 0).all()
            assert len(positions) == len(owners)
    assert users == len(histories.starts) - 1
    assert (seen == 1).all()


def split(ratings: Ratings) -> tuple[Ratings, tuple[Ratings, Ratings]]:
    fold = next(held_out_users(ratings, 4, 0))
    given = np.concatenate([case.given_index for case in fold.cases])
    hidden = np.concatenate([case.hidden_index for case in fold.cases])
    return ratings.take(fold.train_index), (ratings.take(given), ratings.take(hidden))


def test_training_finds_more_of_what_others_rate_and_stops_where_it_found_most(
    tiny: Dataset,
) -> None:
    train, (given, hidden) = split(tiny.ratings)
    heard: list[Look] = []
    result = train_encoder(train, QUICK, make_cases(given, hidden), progress=heard.append)
    qualities = [look.quality for look in result.epochs]
    assert heard == list(result.epochs[1:])
    assert result.best_epoch == result.epochs[int(np.argmax(qualities))].epoch
    again = train_encoder(train, QUICK, stop_after=result.best_epoch)
    assert again.items.tobytes() == result.items.tobytes()
    assert again.inputs.tobytes() == result.inputs.tobytes()


@pytest.mark.parametrize("factor", [-0.3, 0.5])
def test_a_rating_at_the_minimum_never_raises_similar_items(tiny: Dataset, factor: float) -> None:
    settings = replace(QUICK, start_factors=(factor, 1.0, 1.0), epochs=2)
    assert train_encoder(tiny.ratings, settings).rule.factors[0] <= 0.0


def test_an_unrated_item_has_no_input_vector(tiny: Dataset) -> None:
    result = train_encoder(tiny.ratings.take(tiny.ratings.items != 3), replace(QUICK, epochs=2))
    assert not result.inputs[3].any()


def test_a_user_without_ratings_is_at_the_prior(tiny: Dataset) -> None:
    result = train_encoder(tiny.ratings, replace(QUICK, epochs=1))
    nothing = np.zeros(0, np.int32)
    assert not result.encoder.encode(nothing, nothing.astype(np.float64)).any()
