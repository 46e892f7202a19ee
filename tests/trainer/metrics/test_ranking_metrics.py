"""Recall, nDCG and average precision against hand-computed values and plain loops."""

import math
from random import Random

import numpy as np
import pytest
from foldin_trainer.metrics.ranking_metrics import average_precision, hit_matrix, ndcg, recall
from hypothesis import given
from hypothesis import strategies as st

HITS = np.array([[True, False, True, False], [False, False, False, True], [False] * 4])
RELEVANT = np.array([3, 8, 1])

lists_and_hidden = st.lists(
    st.tuples(
        st.lists(st.integers(0, 30), min_size=6, max_size=6, unique=True),
        st.sets(st.integers(0, 30), min_size=1),
    ),
    min_size=1,
    max_size=8,
)


def test_recall_divides_by_all_hidden_items_even_beyond_k() -> None:
    assert recall(HITS, RELEVANT).tolist() == [2 / 3, 1 / 8, 0.0]


def test_ndcg_discounts_by_log2_of_place_plus_one() -> None:
    ideal_of_three = 1 + 1 / math.log2(3) + 1 / 2
    ideal_of_four = ideal_of_three + 1 / math.log2(5)
    expected = [(1 + 1 / 2) / ideal_of_three, (1 / math.log2(5)) / ideal_of_four, 0.0]
    assert ndcg(HITS, RELEVANT) == pytest.approx(expected)


def test_average_precision_is_precision_at_hits_over_reachable_hits() -> None:
    expected = [(1 + 2 / 3) / 3, (1 / 4) / 4, 0.0]
    assert average_precision(HITS, RELEVANT) == pytest.approx(expected)


def test_a_perfect_list_reaches_one_in_ndcg_and_map() -> None:
    hits = np.array([[True, True, False], [True, True, True]])
    relevant = np.array([2, 7])
    assert ndcg(hits, relevant) == pytest.approx([1.0, 1.0])
    assert average_precision(hits, relevant) == pytest.approx([1.0, 1.0])


def test_a_hit_belongs_to_its_own_user_and_padding_hits_nothing() -> None:
    lists = np.array([[5, 7, -1], [7, 5, 0], [-1, -1, -1]], np.int32)
    hidden = [np.array([7], np.int32), np.array([0, 9], np.int32), np.array([5], np.int32)]
    expected = [[False, True, False], [False, False, True], [False, False, False]]
    assert hit_matrix(lists, hidden).tolist() == expected


@given(lists_and_hidden)
def test_vectorised_metrics_equal_plain_loops(users: list[tuple[list[int], set[int]]]) -> None:
    lists = np.array([rows for rows, _ in users], np.int32)
    hidden = [np.array(sorted(rows), np.int32) for _, rows in users]
    relevant = np.array([len(rows) for rows in hidden])
    hits = hit_matrix(lists, hidden)
    for user, (rows, wanted) in enumerate(users):
        reachable = min(len(rows), len(wanted))
        found = [place for place, row in enumerate(rows, start=1) if row in wanted]
        gain = sum(1 / math.log2(place + 1) for place in found)
        ideal = sum(1 / math.log2(place + 1) for place in range(1, reachable + 1))
        precision = sum(rank / place for rank, place in enumerate(found, start=1))
        assert recall(hits, relevant)[user] == pytest.approx(len(found) / len(wanted))
        assert ndcg(hits, relevant)[user] == pytest.approx(gain / ideal)
        assert average_precision(hits, relevant)[user] == pytest.approx(precision / reachable)


@given(lists_and_hidden, st.randoms(use_true_random=False))
def test_metrics_do_not_depend_on_the_names_of_items_or_the_order_of_users(
    users: list[tuple[list[int], set[int]]], random: Random
) -> None:
    names = list(range(31))
    random.shuffle(names)
    order = list(range(len(users)))
    random.shuffle(order)
    renamed = [([names[r] for r in users[u][0]], {names[r] for r in users[u][1]}) for u in order]
    original, permuted = _ndcg(users), _ndcg(renamed)
    assert permuted == pytest.approx([original[u] for u in order])


def _ndcg(users: list[tuple[list[int], set[int]]]) -> list[float]:
    lists = np.array([rows for rows, _ in users], np.int32)
    hidden = [np.array(sorted(rows), np.int32) for _, rows in users]
    relevant = np.array([len(rows) for rows in hidden])
    return [float(value) for value in ndcg(hit_matrix(lists, hidden), relevant)]
