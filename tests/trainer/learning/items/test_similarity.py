"""Similar items: bounded rows, less trust in few ratings, planted groups found."""

import numpy as np
from foldin_trainer.data import Dataset
from foldin_trainer.learning.items.similarity import shrunk_directions, similarity_rows
from foldin_trainer.learning.ranking_heads.ials.head import ranking_by_ials
from foldin_trainer.learning.ranking_heads.ials.trainer import IalsSettings, train_ials
from foldin_trainer.learning.ranking_heads.rating_weights import rule_for
from hypothesis import given
from hypothesis import strategies as st


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 100.0))
def test_rows_are_at_most_of_unit_length_and_keep_their_direction(
    seed: int, shrinkage: float
) -> None:
    rng = np.random.default_rng(seed)
    vectors, counts = rng.normal(size=(20, 5)), rng.integers(0, 1000, 20)
    rows = shrunk_directions(vectors, counts, shrinkage)
    lengths = np.linalg.norm(rows, axis=1)
    assert (lengths <= 1.0 + 1e-6).all()
    assert np.allclose(lengths, counts / (counts + shrinkage), atol=1e-6)
    along = np.sum(rows * vectors, axis=1) / np.linalg.norm(vectors, axis=1)
    assert np.allclose(along, lengths, atol=1e-6)


def test_items_without_a_vector_are_similar_to_none() -> None:
    rows = shrunk_directions(np.zeros((2, 3)), np.array([0, 4]))
    assert not rows.any()


def test_items_of_one_genre_are_more_alike_than_others(tiny: Dataset) -> None:
    settings = IalsSettings(dimension=8, iterations=5, device="cpu")
    rule = rule_for(tiny.ratings.scale)
    result = train_ials(tiny.ratings, settings, rule)
    counts = np.bincount(tiny.ratings.items, minlength=len(tiny.ratings.item_ids))
    rows = similarity_rows(ranking_by_ials(result, tiny.ratings, rule), counts)
    alike = rows @ rows.T
    genres = np.array([entry[0] if entry else "" for entry in tiny.items.genres])
    rated = counts > 5
    same = (genres[:, None] == genres) & ~np.eye(len(rows), dtype=np.bool_)
    both = rated[:, None] & rated
    assert alike[same & both].mean() > alike[~same & both].mean() + 0.1
