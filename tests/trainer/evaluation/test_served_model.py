"""Served models as methods under evaluation: their lists, ratings and fold-in."""

from dataclasses import replace

import numpy as np
import pytest
from foldin_model.ids import UserId
from foldin_trainer.evaluation.fold_in.agreement import agreement, fold_in_rmse, shortened
from foldin_trainer.evaluation.methods.served_model import RatingHeadAlone, Served
from foldin_trainer.metrics.cases import Case
from foldin_trainer.metrics.lists import best
from planted import Planted
from snapshots import planted_snapshot


def served(small: Planted) -> Served:
    snapshot = planted_snapshot()
    return Served.of(snapshot, small.users, tuple(snapshot.model.catalog.item_ids))


def cases(small: Planted, *, known: bool) -> list[Case]:
    """Returns every planted user with their training history given; renamed unless `known`."""
    return [
        Case(
            user_id if known else UserId(f"new {user_id}"),
            rows,
            values,
            np.setdiff1d(np.arange(120, dtype=np.int32), rows)[:5],
            np.full(5, 3.0),
        )
        for user_id, (rows, values) in small.histories.items()
    ]


def test_a_known_user_is_scored_by_trained_vectors_and_a_new_one_by_folded_ones(
    small: Planted,
) -> None:
    method = served(small)
    for place, case in enumerate(cases(small, known=True)):
        trained = method.user(case).ranking_vector
        folded = method.user(replace(case, user_id=UserId("stranger"))).ranking_vector
        assert np.array_equal(trained, small.users.ranking_vectors[place])
        assert not np.allclose(folded, trained)


@pytest.mark.parametrize("known", [True, False])
def test_served_lists_are_the_canonical_order_of_all_unseen_items(
    small: Planted, *, known: bool
) -> None:
    method, asked = served(small), cases(small, known=known)
    model = method.snapshot.model
    queries = np.array(
        [model.query(u.ranking_vector, u.rating_vector) for u in map(method.user, asked)]
    )
    given = np.array([np.isin(np.arange(120), case.given_rows) for case in asked])
    scores = (model.items.astype(np.float64)[None] * queries[:, None]).sum(axis=2)
    assert np.array_equal(method.recommend(asked, 10), best(scores, given, 10))


def test_predicted_ratings_lie_on_the_scale_and_belong_to_the_hidden_rows(small: Planted) -> None:
    method, asked = served(small), cases(small, known=False)
    predicted = method.predict(asked)
    model = method.snapshot.model
    assert predicted.shape == (5 * len(asked),)
    assert predicted.min() >= model.scale.low
    assert predicted.max() <= model.scale.high
    vector = method.user(asked[3]).rating_vector
    direct = model.rating.score(asked[3].hidden_rows, vector).clip(0.5, 5.0)
    assert predicted[15:20] == pytest.approx(direct)


def test_rows_of_the_data_set_may_differ_from_those_of_the_model(small: Planted) -> None:
    straight = served(small)
    order = np.random.default_rng(0).permutation(120)
    item_ids = tuple(straight.item_ids[row] for row in order)
    shuffled = Served.of(straight.snapshot, small.users, item_ids)
    places = np.argsort(order).astype(np.int32)
    (case, *_) = cases(small, known=False)
    renamed = replace(case, given_rows=places[case.given_rows])
    expected = straight.recommend([case], 10)
    assert np.array_equal(order[shuffled.recommend([renamed], 10)], expected)


def test_the_rating_head_alone_orders_by_predicted_rating(small: Planted) -> None:
    method = served(small)
    (case, *_) = cases(small, known=False)
    head, vector = method.snapshot.model.rating, method.user(case).rating_vector
    scores = head.score(np.arange(120, dtype=np.int32), vector)[None]
    given = np.isin(np.arange(120), case.given_rows)[None]
    found = RatingHeadAlone(method).recommend([case], 10)
    assert np.array_equal(found, best(scores, given, 10))


def test_steps_agree_with_the_exact_solve_once_there_are_enough(small: Planted) -> None:
    asked = cases(small, known=False)
    (found,) = agreement([(small.model, asked)], [3], steps=4)
    assert found.users == len(asked)
    assert found.rmse_ratio == pytest.approx(1.0, abs=1e-6)
    assert found.overlap == 1.0
    assert fold_in_rmse([(small.model, asked)], steps=None) > 0.0


def test_a_shortened_case_keeps_every_rating_once(small: Planted) -> None:
    (case, *_) = cases(small, known=False)
    short = shortened(case, 2, seed=5)
    assert short is not None
    assert len(short.given_rows) == 2
    everything = np.sort(np.concatenate((short.given_rows, short.hidden_rows)))
    assert np.array_equal(everything, np.sort(np.concatenate((case.given_rows, case.hidden_rows))))
    assert shortened(case, len(everything), seed=5) is None
