"""The map from content to vectors: learned where items are known, used where they are not."""

from dataclasses import replace

import numpy as np
import pytest
from foldin_model.trained.content_map import Content
from foldin_trainer.learning.items.content_map import fit_content, with_content
from foldin_trainer.learning.train_settings import TrainSettings
from foldin_trainer.learning.training import train
from tiny import tiny_dataset

GENRES = ("Comedy", "Drama", "Horror")


def planted(items: int = 600) -> tuple[np.ndarray, list[Content], np.ndarray]:
    """Vectors are the sum of a genre's and an embedding's direction, with noise."""
    rng = np.random.default_rng(0)
    directions, mixing = rng.normal(size=(3, 8)), rng.normal(size=(4, 8))
    genres = rng.integers(3, size=items)
    embeddings = rng.normal(size=(items, 4)).astype(np.float32)
    rows = directions[genres] + embeddings @ mixing + 0.1 * rng.normal(size=(items, 8))
    contents = [
        Content(genres=(GENRES[genre],), embedding=embedding)
        for genre, embedding in zip(genres, embeddings, strict=True)
    ]
    return rows.astype(np.float32), contents, rng.integers(1, 100, size=items)


def test_it_finds_the_vectors_of_items_without_ratings() -> None:
    rows, contents, counts = planted()
    counts[:50] = 0
    found = fit_content(rows, contents, counts, seed=0).rows(contents[:50])
    assert np.abs(found - rows[:50]).mean() < 0.15


def test_nothing_is_learned_from_items_without_ratings() -> None:
    rows, contents, counts = planted()
    counts[:50] = 0
    spoiled = rows.copy()
    spoiled[:50] = 1e6
    one, other = (fit_content(part, contents, counts, seed=0) for part in (rows, spoiled))
    assert np.array_equal(one.weights, other.weights)


def test_the_same_input_gives_the_same_bits() -> None:
    rows, contents, counts = planted()
    one, other = (fit_content(rows, contents, counts, seed=3) for _ in range(2))
    assert one.names == other.names
    assert np.array_equal(one.weights, other.weights)


def test_rare_features_are_left_out() -> None:
    rows, contents, counts = planted(90)
    contents[0] = Content(genres=("Polka",), embedding=contents[0].embedding)
    assert "genre=polka" not in fit_content(rows, contents, counts, seed=0).names


def test_items_with_unknown_content_get_the_average() -> None:
    rows, _, counts = planted(40)
    found = fit_content(rows, [Content()] * 40, counts, seed=0)
    weights = counts / (counts + 5.0)
    assert found.rows([Content()])[0] == pytest.approx(weights @ rows / weights.sum(), rel=1e-4)


def test_embeddings_that_some_items_lack_are_not_used() -> None:
    rows, contents, counts = planted(60)
    contents[7] = Content(genres=contents[7].genres)
    assert fit_content(rows, contents, counts, seed=0).embedding_length == 0


def test_a_trained_model_has_vectors_for_items_without_ratings() -> None:
    dataset = tiny_dataset(users=120, items=120)
    cold = np.arange(0, 120, 10)
    kept = ~np.isin(dataset.ratings.items, cold)
    part = replace(dataset, ratings=dataset.ratings.take(np.flatnonzero(kept)))
    model = train(part, TrainSettings.of(dimension=8)).model
    assert model.content is not None
    alike = model.similarity[cold] @ model.similarity.T
    alike[:, cold] = -1.0
    same = [
        bool(set(model.catalog.genres[row]) & set(model.catalog.genres[int(near)]))
        for row, near in zip(cold.tolist(), alike.argmax(axis=1), strict=True)
    ]
    assert sum(same) >= len(same) - 1
    assert np.linalg.norm(model.similarity, axis=1).max() <= 1.0 + 1e-6


def test_learning_from_content_leaves_rated_items_as_they_were() -> None:
    dataset = tiny_dataset(users=120, items=120)
    model = train(dataset, TrainSettings.of(dimension=8)).model
    again = with_content(model, dataset.items, rating=True, seed=1)
    rated = model.catalog.rating_counts > 0
    assert np.array_equal(again.items[rated], model.items[rated])
    assert np.array_equal(again.similarity[rated], model.similarity[rated])


def test_a_head_that_knows_contents_keeps_its_own_vectors_of_unrated_items() -> None:
    dataset = tiny_dataset(users=120, items=120)
    kept = dataset.ratings.items >= 10
    part = replace(dataset, ratings=dataset.ratings.take(np.flatnonzero(kept)))
    model = train(part, TrainSettings.of(dimension=8)).model
    spoiled = model.items.copy()
    spoiled[:10] = 7.0
    again = with_content(replace(model, items=spoiled), dataset.items, rating=False, seed=0)
    cut = len(model.ranking_prior)
    assert (again.items[:10, cut:] == 7.0).all()
    assert (again.items[:10, :cut] != 7.0).all()
