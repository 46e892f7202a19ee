"""Cold items: a tenth of the items is without training ratings and ranked alone."""

from collections.abc import Iterator
from dataclasses import fields, replace

import numpy as np
import pytest
from foldin_model.arrays import Doubles
from foldin_model.scale import Scale
from foldin_trainer.data import Dataset
from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.evaluation.evaluation_run import Plan, evaluate
from foldin_trainer.evaluation.methods.baselines import ItemMean, Popularity
from foldin_trainer.evaluation.methods.genre_popularity import GenrePopularity
from foldin_trainer.evaluation.protocols.trials import ProtocolSettings, Trial, trials
from foldin_trainer.evaluation.report.document import protocol_object
from foldin_trainer.evaluation.report.tables import ranking_table
from foldin_trainer.evaluation.trial_scores import score
from foldin_trainer.learning.train_settings import TrainSettings
from tiny import tiny_dataset

DATASET = tiny_dataset(users=60, items=80)
RATINGS = DATASET.ratings
COUNT = 3


def cold_trials(folds: int) -> list[Trial]:
    return list(trials("cold-items", RATINGS, ProtocolSettings(folds=folds)))


def test_cold_items_have_no_training_rating_and_only_they_may_be_recommended() -> None:
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


def most_rated_first(dataset: Dataset) -> Dataset:
    """Returns the data set as from a file with the most rated items first."""
    ratings = dataset.ratings
    counts = np.bincount(ratings.items, minlength=len(ratings.item_ids))
    rows = np.argsort(-counts, kind="stable")
    lines = np.argsort(-counts[ratings.items], kind="stable")
    renamed = replace(
        ratings,
        item_ids=tuple(ratings.item_ids[row] for row in rows.tolist()),
        items=np.argsort(rows)[ratings.items].astype(np.int32),
    )
    return replace(dataset, ratings=renamed.take(lines), items=dataset.items.take(rows))


def test_shuffled_items_keep_their_ratings_and_attributes() -> None:
    size = len(DATASET.items)
    items = replace(
        DATASET.items,
        tags=tuple((f"tag {row}",) for row in range(size)),
        embeddings=tuple(np.full(2, row, np.float32) for row in range(size)),
    )
    dataset = replace(DATASET, items=items)
    shuffled = dataset.with_items_shuffled(7)
    assert shuffled.ratings.item_ids != RATINGS.item_ids
    assert sorted(shuffled.ratings.item_ids) == sorted(RATINGS.item_ids)
    ids = np.array(shuffled.ratings.item_ids)[shuffled.ratings.items]
    assert np.array_equal(ids, np.array(RATINGS.item_ids)[RATINGS.items])
    for row, item_id in enumerate(shuffled.ratings.item_ids):
        before = RATINGS.item_ids.index(item_id)
        for column in fields(ItemTable):
            known = getattr(shuffled.items, column.name)[row]
            assert known is getattr(items, column.name)[before]


def test_the_order_of_shuffled_items_does_not_depend_on_the_file() -> None:
    straight, sorted_ = (d.with_items_shuffled(7) for d in (DATASET, most_rated_first(DATASET)))
    assert straight.ratings.item_ids == sorted_.ratings.item_ids
    assert straight.items == sorted_.items
    assert DATASET.with_items_shuffled(8).ratings.item_ids != straight.ratings.item_ids


def test_methods_without_knowledge_of_cold_items_are_no_better_than_chance() -> None:
    reached: dict[str, list[Doubles]] = {"popularity": [], "item mean": [], "chance": []}
    for seed in range(10):
        shuffled = most_rated_first(DATASET).with_items_shuffled(seed)
        for trial in trials("cold-items", shuffled.ratings, ProtocolSettings(10, seed=seed)):
            for method in (Popularity.fit(trial.train), ItemMean.fit(trial.train)):
                reached[method.name].append(score(method, trial, COUNT).everything.ndcg)
            reached["chance"].append(np.array(list(by_chance(trial))))
    means = {name: float(np.concatenate(found).mean()) for name, found in reached.items()}
    assert means["popularity"] == pytest.approx(means["chance"], rel=0.1)
    assert means["item mean"] == pytest.approx(means["chance"], rel=0.1)


def by_chance(trial: Trial) -> Iterator[float]:
    """Yields the mean NDCG of each user's list over all orders of the allowed items."""
    discounts = 1.0 / np.log2(np.arange(COUNT) + 2.0)
    for case in trial.cases:
        hidden, allowed = len(case.hidden_rows), len(trial.train.item_ids) - len(case.masked_rows)
        yield hidden / allowed * discounts.sum() / discounts[:hidden].sum()


@pytest.mark.slow
def test_figures_of_cold_items_do_not_depend_on_the_order_of_lines() -> None:
    settings = TrainSettings.of(dimension=4, device="cpu")
    plan = Plan(("cold-items",), ProtocolSettings(folds=2), settings, COUNT)
    straight, sorted_ = (
        evaluate(d, plan).outcomes[0] for d in (DATASET, most_rated_first(DATASET))
    )
    texts = str(ranking_table(straight).caption), str(protocol_object(straight)["masking"])
    for masking in texts:
        assert "Not recommended to anybody: the items with a rating in the training" in masking
        assert "their given ratings" not in masking
    for before, after in zip(straight.scores[:2], sorted_.scores[:2], strict=True):
        assert before.method in {"popularity", "item mean"}
        assert before.everything.ndcg.mean() == pytest.approx(after.everything.ndcg.mean())
