"""Intervals of every metric, and what may be called a difference between methods."""

from dataclasses import replace

import numpy as np
import pytest
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.evaluation.baselines import ItemMean, Popularity
from foldin_trainer.evaluation.comparing import compare, compare_measures, holm
from foldin_trainer.evaluation.measures import Ratio
from foldin_trainer.evaluation.methods import Method
from foldin_trainer.evaluation.protocols import ProtocolSettings, trials
from foldin_trainer.evaluation.report import Outcome, difference_rows, rows
from foldin_trainer.evaluation.scoring import Scores, run
from tiny import tiny_dataset

DATASET = tiny_dataset(users=60, items=80)


def baselines(train: Ratings) -> list[Method]:
    return [Popularity.fit(train), replace(ItemMean.fit(train), name="foldin")]


@pytest.fixture(scope="module")
def scores() -> tuple[Scores, ...]:
    asked = trials("kfold", DATASET.ratings, ProtocolSettings(folds=3))
    return run(asked, baselines, 10, DATASET.items)


def test_estimates_are_the_published_means_and_lie_in_their_intervals(
    scores: tuple[Scores, ...],
) -> None:
    found = compare(scores, 10).intervals
    for method in scores:
        own = found[method.method]
        assert own["ndcg@10"].estimate == pytest.approx(method.everything.ndcg.mean())
        assert own["gini"].estimate == pytest.approx(np.mean([s.gini for s in method.spread]))
        assert own["coverage"].estimate == pytest.approx(
            np.mean([s.coverage for s in method.spread])
        )
        for metric in ("novelty_bits", "popularity_lift", "miscalibration", "diversity"):
            trials_ = [getattr(spread, metric) for spread in method.spread]
            assert own[metric].estimate == pytest.approx(np.mean(trials_))
        for interval in own.values():
            assert interval.low <= interval.estimate <= interval.high
    assert found["foldin"]["rmse"].estimate == pytest.approx(np.mean(scores[1].rmse))
    assert "rmse" not in found["popularity"]


def test_the_same_seed_gives_the_same_intervals(scores: tuple[Scores, ...]) -> None:
    found = compare(scores, 10, seed=3).intervals
    assert compare(scores, 10, seed=3).intervals == found
    assert compare(scores, 10, seed=4).intervals != found


def test_every_metric_of_a_row_has_the_ends_of_its_interval(scores: tuple[Scores, ...]) -> None:
    outcome = Outcome("kfold", 10, 1.0, scores)
    popularity, ours = rows(outcome)
    for metric in ("rmse", "mae", "recall@10", "liked_map@10", "coverage", "diversity"):
        assert ours[f"{metric}_low"] is not None
    assert popularity["rmse"] is None
    metrics = {row["metric"] for row in difference_rows(outcome)}
    assert {"ndcg@10", "coverage", "miscalibration"} <= metrics
    assert "rmse" not in metrics


def mean_of(values: np.ndarray) -> dict[str, Ratio]:
    return {"gain": Ratio(values[:, None], np.ones((len(values), 1)), np.asarray)}


def test_a_paired_difference_is_seen_through_the_noise_that_methods_share() -> None:
    rng = np.random.default_rng(0)
    users = rng.normal(size=400)
    found = {
        "ours": mean_of(users + 0.1),
        "worse": mean_of(users + 0.02 * rng.normal(size=400)),
        "alike": mean_of(users + 0.1 + 0.5 * rng.normal(size=400)),
        "same": mean_of(users + 0.1),
    }
    comparison = compare_measures(found, 400, ours="ours")
    worse, alike, same = (
        comparison.difference(name, "gain") for name in ("worse", "alike", "same")
    )
    assert worse is not None
    assert worse.significant
    assert worse.interval.low > 0.0
    assert worse.interval.estimate == pytest.approx(0.1, abs=0.01)
    assert alike is not None
    assert alike.p > 0.05
    assert not alike.significant
    assert same is not None
    assert same.p == 1.0


def test_where_there_is_no_difference_p_is_below_five_percent_one_time_in_twenty() -> None:
    rng = np.random.default_rng(1)
    found = {"ours": mean_of(rng.normal(size=100))} | {
        f"method {number}": mean_of(rng.normal(size=100)) for number in range(60)
    }
    ours = found.pop("ours").pop("gain")
    # Differences from a method that is exactly zero are the methods' own noise, one at a time.
    zero = {"ours": {"gain": replace(ours, above=np.zeros_like(ours.above))}}
    comparison = compare_measures(zero | found, 100, ours="ours")
    rejected = sum(difference.p < 0.05 for difference in comparison.differences)
    assert rejected <= 9
    assert not any(difference.significant for difference in comparison.differences)


def test_holm_multiplies_the_smallest_most_and_keeps_the_order() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
