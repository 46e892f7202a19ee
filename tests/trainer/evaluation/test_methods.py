"""Baselines and reference rankers agree with hand-computed values and dense solves."""

import numpy as np
import pytest
from foldin_model.arrays import Doubles, Mask
from foldin_model.ids import UserId
from foldin_model.scale import Scale
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.evaluation.methods.baselines import ItemMean, Popularity
from foldin_trainer.evaluation.methods.references import (
    AlsSettings,
    Ease,
    ImplicitAls,
    interactions,
)
from foldin_trainer.metrics.cases import Case, history_matrix, make_cases
from foldin_trainer.metrics.lists import best
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tiny import tiny_dataset


def ratings(*triples: tuple[int, int, float]) -> Ratings:
    """Ratings of four users and five items."""
    columns = np.array(triples, np.float64)
    return Ratings(
        tuple("abcd"),
        tuple("vwxyz"),
        columns[:, 0].astype(np.int32),
        columns[:, 1].astype(np.int32),
        columns[:, 2],
        None,
        Scale(1.0, 5.0),
    )


def case(given_rows: list[int], hidden_rows: list[int]) -> Case:
    known, asked = np.array(given_rows, np.int32), np.array(hidden_rows, np.int32)
    return Case(UserId("new"), known, np.full(len(known), 4.0), asked, np.full(len(asked), 4.0))


TRAIN = ratings((0, 1, 5.0), (1, 1, 4.0), (2, 1, 3.0), (0, 4, 2.0), (1, 4, 1.0), (2, 0, 5.0))


def test_popularity_orders_by_count_then_row_and_leaves_out_given_items() -> None:
    lists = Popularity.fit(TRAIN).recommend([case([], [0]), case([1, 3], [0])], 5)
    assert lists.tolist() == [[1, 4, 0, 2, 3], [4, 0, 2, -1, -1]]


def test_item_mean_is_shrunk_to_the_mean_of_all() -> None:
    method = ItemMean.fit(TRAIN, damping=1.0)
    mean = 20 / 6
    predicted = method.predict([case([], [1, 4]), case([], [2])])
    assert predicted.tolist() == pytest.approx([(12 + mean) / 4, (3 + mean) / 3, mean])
    assert method.recommend([case([], [0])], 2).tolist() == [[0, 1]]


def test_cases_join_given_and_hidden_ratings_of_every_user_with_hidden_ones() -> None:
    hidden = ratings((2, 3, 1.0), (2, 2, 2.0), (3, 0, 5.0))
    first, second = make_cases(TRAIN, hidden)
    assert (first.user_id, second.user_id) == ("c", "d")
    assert (first.given_rows.tolist(), first.given_values.tolist()) == ([0, 1], [5.0, 3.0])
    assert (first.hidden_rows.tolist(), first.hidden_values.tolist()) == ([2, 3], [2.0, 1.0])
    assert len(second.given_rows) == 0


@given(
    arrays(np.float64, (4, 9), elements=st.integers(-3, 3).map(float)),
    arrays(np.bool_, (4, 9)),
    st.integers(1, 12),
)
def test_best_is_in_canonical_order_even_among_ties(
    scores: Doubles, seen: Mask, count: int
) -> None:
    lists = best(scores, seen, count)
    for user in range(4):
        left = [row for row in range(9) if not seen[user, row]]
        expected = sorted(left, key=lambda row: (-scores[user, row], row))[:count]
        assert lists[user].tolist() == expected + [-1] * (count - len(expected))


@pytest.mark.parametrize("users", [30, 200])
def test_ease_equals_the_closed_form_on_dense_matrices_in_either_gram_form(users: int) -> None:
    train = tiny_dataset(users=users, items=80).ratings
    x = interactions(train).toarray()
    inverse = np.linalg.inv(x.T @ x + 30.0 * np.eye(80))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    cases = [case([0, 2, 4], [1]), case([7], [1]), case([], [1])]
    histories = history_matrix(cases, 80)
    expected = best(histories.toarray() @ weights, histories.toarray() > 0, 10)
    lists = Ease.fit(train, 30.0).recommend(cases, 10)
    assert lists[:2].tolist() == expected[:2].tolist()


def test_implicit_als_recommends_the_genre_that_a_user_likes() -> None:
    dataset = tiny_dataset()
    method = ImplicitAls.fit(dataset.ratings, AlsSettings(factors=8, regularization=1.0, alpha=5.0))
    for genre in ("Comedy", "Western"):
        liked = [row for row, genres in enumerate(dataset.items.genres) if genre in genres]
        (found,) = method.recommend([case(liked[:12], [liked[20]])], 10)
        assert np.isin(found, liked).mean() > np.mean([genre in g for g in dataset.items.genres])
        assert not np.isin(found, liked[:12]).any()
