"""`foldin evaluate` end to end, and served models as methods under evaluation."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from foldin_model.ids import UserId
from foldin_trainer.commands.evaluate import evaluate
from foldin_trainer.evaluation.fold_in import agreement, fold_in_rmse, shortened
from foldin_trainer.evaluation.methods import Case, best
from foldin_trainer.evaluation.served import RatingHeadAlone, Served
from foldin_trainer.evaluation.similar_items import next_pairs
from planted import Planted
from snapshots import planted_snapshot
from tiny import tiny_dataset, write_movielens


def served(small: Planted) -> Served:
    snapshot = planted_snapshot()
    return Served.of(snapshot, small.users, tuple(snapshot.model.catalog.item_ids))


def cases(small: Planted, *, known: bool) -> list[Case]:
    """Every planted user with her training history given; unless `known`, under another name."""
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


def test_a_known_user_is_scored_by_her_trained_vectors_and_a_stranger_by_folded_ones(
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


def test_rows_of_the_data_set_may_be_others_than_those_of_the_model(small: Planted) -> None:
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


def test_next_pairs_follow_time_within_a_user() -> None:
    ratings = tiny_dataset(users=20, items=80).ratings
    firsts, seconds = next_pairs(ratings)
    assert ratings.timestamps is not None
    assert len(firsts) == len(ratings) - len(ratings.user_ids)
    user = np.flatnonzero(ratings.users == 0)
    ordered = ratings.items[user[np.argsort(ratings.timestamps[user], kind="stable")]]
    assert firsts[: len(ordered) - 1].tolist() == ordered[:-1].tolist()
    assert seconds[: len(ordered) - 1].tolist() == ordered[1:].tolist()


@pytest.mark.slow
def test_evaluate_prints_tables_and_writes_a_report_and_figures(tmp_path: Path) -> None:
    folder = write_movielens(tiny_dataset(users=120, items=100), tmp_path / "data")
    out = tmp_path / "out"
    arguments = [str(folder), "--protocol", "random", "--protocol", "held-out-users"]
    result = CliRunner().invoke(evaluate, [*arguments, "--folds", "2", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "Recommended lists, first 10 · held-out-users" in result.output
    report = json.loads((out / "evaluation.json").read_text())
    assert [p["protocol"] for p in report["protocols"]] == ["random", "held-out-users"]
    held_out = {row["method"]: row for row in report["protocols"][1]["rows"]}
    assert set(held_out) == {"popularity", "item mean", "mf alone", "foldin"}
    assert held_out["foldin"]["ndcg@10"] > held_out["popularity"]["ndcg@10"]
    assert held_out["foldin"]["rmse"] < held_out["item mean"]["rmse"]
    for name in report["figures"]:
        assert (out / name).read_bytes().startswith(b"\x89PNG")


def test_evaluate_names_a_data_set_that_is_not_there(tmp_path: Path) -> None:
    result = CliRunner().invoke(evaluate, ["ml-1m", "--data-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "foldin data fetch ml-1m" in result.output
