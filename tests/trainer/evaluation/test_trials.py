"""Which ratings each protocol gives and hides, and how scores are pooled over trials."""

from dataclasses import replace

import numpy as np
import pytest
from foldin_model.errors import FoldinError
from foldin_model.scale import Scale
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.evaluation.method import Method
from foldin_trainer.evaluation.methods.baselines import ItemMean, Popularity
from foldin_trainer.evaluation.protocols.trials import PROTOCOLS, ProtocolSettings, trials
from foldin_trainer.evaluation.trial_scores import run_trials, score
from foldin_trainer.metrics.cases import liked_from
from foldin_trainer.metrics.intervals import mean_interval, ratio_interval
from tiny import tiny_dataset

RATINGS = tiny_dataset(users=60, items=80).ratings


def baselines(train: Ratings) -> list[Method]:
    return [Popularity.fit(train), ItemMean.fit(train)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nothing_hidden_is_given_or_learned_from(protocol: str) -> None:
    for trial in trials(protocol, RATINGS, ProtocolSettings()):
        learned = set(zip(trial.train.users.tolist(), trial.train.items.tolist(), strict=True))
        for case in trial.cases:
            user = RATINGS.user_ids.index(case.user_id)
            assert not np.isin(case.hidden_rows, case.given_rows).any()
            assert not {(user, row) for row in case.hidden_rows.tolist()} & learned


@pytest.mark.parametrize("protocol", ["kfold", "held-out-users"])
def test_over_all_trials_every_user_has_a_case_and_no_rating_is_hidden_twice(protocol: str) -> None:
    asked = [
        (case.user_id, row)
        for trial in trials(protocol, RATINGS, ProtocolSettings())
        for case in trial.cases
        for row in case.hidden_rows.tolist()
    ]
    assert len(set(asked)) == len(asked)
    assert {user_id for user_id, _ in asked} == set(RATINGS.user_ids)
    if protocol == "kfold":
        assert len(asked) == len(RATINGS)


def test_held_out_users_have_four_fifths_given_and_no_rating_in_training() -> None:
    for trial in trials("held-out-users", RATINGS, ProtocolSettings()):
        for case in trial.cases:
            user = RATINGS.user_ids.index(case.user_id)
            total = int((RATINGS.users == user).sum())
            assert len(case.given_rows) == total * 4 // 5
            assert len(case.hidden_rows) == total - total * 4 // 5
            assert user not in trial.train.users


def test_temporal_hides_the_latest_ratings() -> None:
    (trial,) = trials("temporal", RATINGS, ProtocolSettings(leave_last=2))
    assert RATINGS.timestamps is not None
    for case in trial.cases:
        mine = np.flatnonzero(RATINGS.users == RATINGS.user_ids.index(case.user_id))
        latest = mine[np.argsort(RATINGS.timestamps[mine])][-2:]
        assert set(case.hidden_rows.tolist()) == set(RATINGS.items[latest].tolist())


def test_leave_last_out_hides_the_last_rating_of_every_user() -> None:
    (trial,) = trials("leave-last-out", RATINGS, ProtocolSettings())
    assert RATINGS.timestamps is not None
    assert len(trial.cases) == len(RATINGS.user_ids)
    for case in trial.cases:
        mine = np.flatnonzero(RATINGS.users == RATINGS.user_ids.index(case.user_id))
        latest = mine[np.argmax(RATINGS.timestamps[mine])]
        assert case.hidden_rows.tolist() == [RATINGS.items[latest]]
        assert len(case.given_rows) == len(mine) - 1


def test_without_times_the_latest_ratings_are_refused_with_the_remedy() -> None:
    timeless = replace(RATINGS, timestamps=None)
    with pytest.raises(FoldinError, match="--timestamp-column, or choose the protocol random"):
        list(trials("leave-last-out", timeless, ProtocolSettings()))


@pytest.mark.parametrize(
    ("protocol", "settings", "message"),
    [
        ("random", ProtocolSettings(share=0.00001), "a share of 1e-05 of 120 ratings is less than"),
        ("temporal", ProtocolSettings(leave_last=4), "last 4 ratings .* give a lower --leave-last"),
        ("kfold", ProtocolSettings(folds=121), "121 folds need as many ratings, and there are 120"),
        ("held-out-users", ProtocolSettings(folds=31), "31 folds need as many users.* give fewer"),
        ("cold-items", ProtocolSettings(folds=10), "10 folds need as many rated items"),
    ],
)
def test_if_nothing_would_be_hidden_the_error_names_what_is_missing(
    protocol: str, settings: ProtocolSettings, message: str
) -> None:
    """Thirty users rate the same four items."""
    ratings = every_user_rates(users=30, items=4)
    with pytest.raises(FoldinError, match=message):
        list(trials(protocol, ratings, settings))


def test_the_only_rating_of_a_user_is_not_hidden() -> None:
    ratings = every_user_rates(users=30, items=1)
    with pytest.raises(
        FoldinError, match="a user's last rating is hidden only if the user has more"
    ):
        list(trials("leave-last-out", ratings, ProtocolSettings()))
    with pytest.raises(FoldinError, match="there are 1; choose another protocol"):
        list(trials("cold-items", ratings, ProtocolSettings()))


def every_user_rates(*, users: int, items: int) -> Ratings:
    size = users * items
    return Ratings(
        user_ids=tuple(f"user {user}" for user in range(users)),
        item_ids=tuple(f"item {item}" for item in range(items)),
        users=np.repeat(np.arange(users, dtype=np.int32), items),
        items=np.tile(np.arange(items, dtype=np.int32), users),
        values=(np.arange(size) % 5 + 1).astype(np.float64),
        timestamps=np.arange(size),
        scale=Scale(1.0, 5.0),
    )


def test_masked_items_are_never_recommended() -> None:
    (trial,) = trials("random", RATINGS, ProtocolSettings())
    popularity = Popularity.fit(trial.train)
    best = popularity.recommend(trial.cases[:1], 3)[0]
    masked = replace(trial.cases[0], masked_rows=best[:1])
    assert popularity.recommend([masked], 2)[0].tolist() == best[1:].tolist()


def test_ratings_without_values_are_ranked_only() -> None:
    (trial,) = trials("random", RATINGS, ProtocolSettings())
    found = score(ItemMean.fit(trial.train), replace(trial, valued=False), 10)
    assert found.rmse == ()
    assert found.predicted == ()
    assert len(found.everything.ndcg) > 0
    assert len(found.liked.ndcg) == 0


def test_an_unknown_protocol_is_refused_with_the_known_names() -> None:
    with pytest.raises(ValueError, match="held-out-users"):
        list(trials("leave-one-out", RATINGS, ProtocolSettings()))


def test_scores_pool_users_and_keep_errors_by_trial() -> None:
    found = run_trials(trials("held-out-users", RATINGS, ProtocolSettings()), baselines, 10)
    popularity, means = found
    assert (popularity.method, means.method) == ("popularity", "item mean")
    assert popularity.rmse == ()
    assert len(means.rmse) == len(means.beyond_accuracy) == 5
    assert len(popularity.everything.ndcg) == len(RATINGS.user_ids)
    assert len(popularity.liked.ndcg) <= len(popularity.everything.ndcg)


def test_users_without_a_liked_hidden_item_are_left_out_of_the_liked_table() -> None:
    (popularity, _) = run_trials(
        trials("held-out-users", RATINGS, ProtocolSettings()), baselines, 10
    )
    with_liked = {
        case.user_id
        for trial in trials("held-out-users", RATINGS, ProtocolSettings())
        for case in trial.cases
        if (case.hidden_values >= 4.0).any()
    }
    assert set(popularity.liked.user_ids) == with_liked


@pytest.mark.parametrize("scale", [Scale(0.5, 5.0), Scale(1.0, 5.0)])
def test_liked_is_four_or_more_on_both_movielens_scales(scale: Scale) -> None:
    assert 3.5 < liked_from(scale) <= 4.0


def test_the_bootstrap_interval_holds_the_mean_and_narrows_with_more_users() -> None:
    values = np.random.default_rng(1).normal(1.0, 1.0, 4_000)
    few, many = mean_interval(values[:100]), mean_interval(values)
    assert few.low < values[:100].mean() < few.high
    assert many.high - many.low < 0.3 * (few.high - few.low)
    assert many.high - many.low == pytest.approx(2 * 1.96 / np.sqrt(4_000), rel=0.15)


def test_a_paired_ratio_is_sharper_than_its_parts() -> None:
    theirs = np.random.default_rng(2).uniform(0.1, 1.0, 300)
    ratio = ratio_interval(1.1 * theirs, theirs)
    assert (ratio.low, ratio.estimate, ratio.high) == pytest.approx((1.1, 1.1, 1.1))
