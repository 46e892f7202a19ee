"""`mf` learns planted tastes, stops early, and gives the same bits again."""

from dataclasses import replace

import numpy as np
from foldin_trainer.data import Dataset
from foldin_trainer.data.splits import random_split
from foldin_trainer.learning.rating_heads.factors import Epoch
from foldin_trainer.learning.rating_heads.mf.trainer import MfSettings, train_mf, train_mf_twice

QUICK = MfSettings(dimension=8, epochs=12, device="cpu")


def test_it_predicts_ratings_better_than_item_means(tiny: Dataset) -> None:
    kept, held = random_split(tiny.ratings, 0.2)
    train, test = tiny.ratings.take(kept), tiny.ratings.take(held)
    result = train_mf(train, QUICK)
    sums = np.bincount(train.items, train.values, minlength=len(train.item_ids))
    counts = np.bincount(train.items, minlength=len(train.item_ids))
    means = sums / np.maximum(counts, 1)
    by_mean = np.sqrt(np.mean((means[test.items] - test.values) ** 2))
    assert np.sqrt(np.mean((result.predict(test) - test.values) ** 2)) < 0.95 * by_mean


def test_the_same_seed_gives_the_same_bits(tiny: Dataset) -> None:
    first, again = (train_mf(tiny.ratings, replace(QUICK, epochs=2)) for _ in range(2))
    other = train_mf(tiny.ratings, replace(QUICK, epochs=2, seed=1))
    assert first.item_vectors.tobytes() == again.item_vectors.tobytes()
    assert first.user_biases.tobytes() == again.user_biases.tobytes()
    assert first.item_vectors.tobytes() != other.item_vectors.tobytes()


def test_it_stops_when_the_validation_part_gets_worse_and_keeps_the_best_pass(
    tiny: Dataset,
) -> None:
    kept, held = random_split(tiny.ratings, 0.2)
    train, test = tiny.ratings.take(kept), tiny.ratings.take(held)
    loose = replace(QUICK, dimension=32, l2=0.0, bias_l2=0.0, epochs=40, patience=2, spread=1.0)
    result = train_mf(train, loose, test)
    errors = [epoch.rmse for epoch in result.epochs if epoch.rmse is not None]
    assert len(errors) == result.best_epoch + 2 < 40
    assert errors.index(min(errors)) + 1 == result.best_epoch
    reached = float(np.sqrt(np.mean((result.predict(test) - test.values) ** 2)))
    assert np.isclose(reached, min(errors))


def test_training_twice_ends_on_every_rating_after_the_best_number_of_passes(
    tiny: Dataset,
) -> None:
    result = train_mf_twice(tiny.ratings, QUICK, share=0.2)
    whole = train_mf(tiny.ratings, QUICK, stop_after=result.best_epoch)
    assert result.item_vectors.tobytes() == whole.item_vectors.tobytes()
    assert all(epoch.rmse is not None for epoch in result.epochs)


def test_users_and_items_without_ratings_are_the_average_of_their_side(tiny: Dataset) -> None:
    unrated = tiny.ratings.items == 3
    absent = tiny.ratings.users == 5
    result = train_mf(tiny.ratings.take(~unrated & ~absent), replace(QUICK, epochs=2))
    others = np.arange(len(result.user_vectors)) != 5
    assert np.allclose(result.user_vectors[5], result.user_vectors[others].mean(0), atol=1e-6)
    assert np.isfinite(result.item_vectors).all()


def test_predictions_lie_on_the_scale(tiny: Dataset) -> None:
    predicted = train_mf(tiny.ratings, replace(QUICK, epochs=1)).predict(tiny.ratings)
    assert tiny.ratings.scale.low <= predicted.min()
    assert predicted.max() <= tiny.ratings.scale.high


def test_progress_is_called_after_every_pass_in_order(tiny: Dataset) -> None:
    heard: list[Epoch] = []
    result = train_mf(tiny.ratings, replace(QUICK, epochs=3), progress=heard.append)
    assert tuple(heard) == result.epochs
    assert [epoch.number for epoch in heard] == [1, 2, 3]
