"""The choice of the ranking head, and what `ease` does for new users and low ratings."""

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest
from foldin_model.fold_in.fold_in import fold
from foldin_trainer.data import Dataset
from foldin_trainer.data.splits import held_out_users
from foldin_trainer.learning import head_choice
from foldin_trainer.learning.head_choice import Attempt, choose_ranking
from foldin_trainer.learning.ranking_heads.ease.trainer import EaseSettings, train_ease
from foldin_trainer.learning.ranking_heads.encoder.settings import EncoderSettings
from foldin_trainer.learning.ranking_heads.ensemble.head import EnsembleSettings
from foldin_trainer.learning.ranking_heads.ials.trainer import IalsSettings
from foldin_trainer.learning.ranking_heads.ranking_head import HeldOutUsers, Look
from foldin_trainer.learning.registry.head_settings import HeadSettings

QUICK_EASE = EaseSettings(dimension=12)
QUICK = HeadSettings(
    (
        IalsSettings(dimension=6, iterations=3, device="cpu"),
        QUICK_EASE,
        EncoderSettings(dimension=8, epochs=5),
        EnsembleSettings(dimension=12, ease_dimension=12),
    )
)


@pytest.fixture(scope="module")
def held_out(tiny: Dataset) -> HeldOutUsers:
    fold = next(held_out_users(tiny.ratings, 5, 0))
    return HeldOutUsers(tiny.ratings.take(fold.train_index), tiny.items, tiny.ratings, fold.cases)


def test_auto_tries_every_head_and_takes_the_best(held_out: HeldOutUsers) -> None:
    tried: list[Attempt] = []
    chosen = choose_ranking(held_out, "auto", QUICK, tried=tried.append)
    assert {one.plan.name.split(",")[0] for one in tried} == {"ials", "ease", "encoder", "ensemble"}
    assert chosen.attempts[0].plan == chosen.plan
    assert _qualities(chosen.attempts) == sorted(_qualities(tried), reverse=True)


def test_without_time_the_first_plan_alone_is_tried(held_out: HeldOutUsers) -> None:
    chosen = choose_ranking(held_out, "auto", QUICK, time_budget_s=0.0)
    assert [one.plan.name for one in chosen.attempts] == ["ials, 6 dimensions"]


def test_no_encoder_is_trained_once_the_time_is_up(
    held_out: HeldOutUsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, looks = iter(range(100)), list[Look]()
    monkeypatch.setattr(head_choice, "time", SimpleNamespace(monotonic=lambda: next(now)))
    chosen = choose_ranking(held_out, "auto", QUICK, time_budget_s=4.5, look=looks.append)
    assert len(chosen.attempts) == 5  # a second each: one of `ials` and four of `ease`
    assert not looks


def test_a_full_rank_ease_scores_as_its_weights_do(tiny: Dataset) -> None:
    ratings = tiny.ratings
    items = len(ratings.item_ids)
    settings = EaseSettings(dimension=items + 1, factors=(1.0, 1.0, 1.0), content_weight=0.0)
    head = train_ease(ratings, tiny.items, settings).head(0.0)
    users, places = np.unique(ratings.users, return_inverse=True)
    rated = np.zeros((len(users), items))
    rated[places, ratings.items] = 1.0
    inverse = np.linalg.inv(rated.T @ rated + settings.l2 * np.eye(items))
    weights = np.eye(items) - settings.l2 * inverse
    weights -= settings.relief * inverse * (np.diag(weights) / np.diag(inverse))
    history = np.flatnonzero(rated[0]).astype(np.int32)
    found = fold(head, history, np.full(len(history), ratings.scale.high), head.prior).vector
    assert np.allclose(head.vectors @ found, rated[0] @ weights, atol=1e-4)


def test_ease_gives_a_user_without_ratings_the_most_rated_items(tiny: Dataset) -> None:
    head = train_ease(tiny.ratings, tiny.items, QUICK_EASE).head(0.01)
    counts = np.bincount(tiny.ratings.items, minlength=len(head.vectors))
    ordered = counts[np.argsort(-(head.vectors @ head.prior), kind="stable")]
    assert (np.diff(ordered) <= 0).all()


def test_a_low_rating_counts_for_less_than_a_high_one(tiny: Dataset) -> None:
    encoder = train_ease(tiny.ratings, tiny.items, QUICK_EASE).encoder
    assert encoder is not None
    scale = tiny.ratings.scale
    low, high = encoder.rule.factor((scale.low, scale.high))
    assert low < 0.5 * high


def _qualities(attempts: Sequence[Attempt]) -> list[float]:
    return [one.quality for one in attempts]
