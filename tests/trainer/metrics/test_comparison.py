"""Intervals of every metric, and which differences between methods are significant."""

from dataclasses import replace

import numpy as np
import pytest
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.evaluation.fold_in.learning_curve import (
    NO_FOLD_IN,
    RETRAIN,
    THREE_STEPS,
    CurvePoint,
)
from foldin_trainer.evaluation.method import Method
from foldin_trainer.evaluation.methods.baselines import ItemMean, Popularity
from foldin_trainer.evaluation.outcome import Outcome
from foldin_trainer.evaluation.protocols.trials import ProtocolSettings, trials
from foldin_trainer.evaluation.report.summary import summary_of_curve, summary_of_outcome
from foldin_trainer.evaluation.report.tables import (
    beyond_accuracy_table,
    difference_rows,
    ranking_table,
    rating_table,
    rows,
)
from foldin_trainer.evaluation.trial_scores import run_trials
from foldin_trainer.metrics.comparison import compare, compare_measures, holm
from foldin_trainer.metrics.measures import Ratio
from foldin_trainer.metrics.scores import Scores
from tiny import tiny_dataset

DATASET = tiny_dataset(users=60, items=80)


def baselines(train: Ratings) -> list[Method]:
    return [Popularity.fit(train), replace(ItemMean.fit(train), name="foldin")]


@pytest.fixture(scope="module")
def scores() -> tuple[Scores, ...]:
    asked = trials("kfold", DATASET.ratings, ProtocolSettings(folds=3))
    return run_trials(asked, baselines, 10, DATASET.items)


def test_estimates_are_the_published_means_and_lie_in_their_intervals(
    scores: tuple[Scores, ...],
) -> None:
    found = compare(scores, 10).intervals
    for method in scores:
        own = found[method.method]
        assert own["ndcg@10"].estimate == pytest.approx(method.everything.ndcg.mean())
        assert own["gini"].estimate == pytest.approx(
            np.mean([s.gini for s in method.beyond_accuracy])
        )
        assert own["coverage"].estimate == pytest.approx(
            np.mean([s.coverage for s in method.beyond_accuracy])
        )
        for metric in ("novelty_bits", "popularity_lift", "miscalibration", "diversity"):
            trials_ = [getattr(spread, metric) for spread in method.beyond_accuracy]
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


def test_a_paired_difference_is_found_in_the_noise_that_methods_share() -> None:
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


def test_without_a_difference_p_is_below_five_percent_one_time_in_twenty() -> None:
    rng = np.random.default_rng(1)
    found = {"ours": mean_of(rng.normal(size=100))} | {
        f"method {number}": mean_of(rng.normal(size=100)) for number in range(60)
    }
    ours = found.pop("ours").pop("gain")
    # The difference from a method of zeros is the noise of one method.
    zero = {"ours": {"gain": replace(ours, numerators=np.zeros_like(ours.numerators))}}
    comparison = compare_measures(zero | found, 100, ours="ours")
    rejected = sum(difference.p < 0.05 for difference in comparison.differences)
    assert rejected <= 9
    assert not any(difference.significant for difference in comparison.differences)


def test_holm_multiplies_the_smallest_p_most_and_keeps_the_order() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@pytest.mark.parametrize("users", [1, 2, 3, 9])
def test_with_fewer_than_ten_users_no_difference_is_tested(users: int) -> None:
    gains = np.linspace(0.5, 1.0, users)
    found = {"ours": mean_of(gains), "worse": mean_of(gains - 0.4)}
    comparison = compare_measures(found, users, ours="ours")
    difference = comparison.difference("worse", "gain")
    assert difference is not None
    assert difference.interval.estimate == pytest.approx(0.4)
    assert np.isnan([difference.p, difference.p_holm, difference.interval.low]).all()
    assert not difference.tested
    assert not difference.significant
    interval = comparison.intervals["ours"]["gain"]
    assert interval.estimate == pytest.approx(gains.mean())
    assert np.isnan([interval.low, interval.high]).all()


def test_ten_users_are_enough_and_users_without_a_value_do_not_count() -> None:
    gains = np.linspace(0.5, 1.0, 10)
    found = {"ours": mean_of(gains), "worse": mean_of(gains - 0.4)}
    difference = compare_measures(found, 10, ours="ours").difference("worse", "gain")
    assert difference is not None
    assert difference.significant
    liking = np.arange(10)[:, None] < 9
    few = {
        name: {
            "gain": replace(
                own["gain"],
                numerators=own["gain"].numerators * liking,
                denominators=liking.astype(np.float64),
            )
        }
        for name, own in found.items()
    }
    difference = compare_measures(few, 10, ours="ours").difference("worse", "gain")
    assert difference is not None
    assert not difference.tested


def test_a_report_of_three_users_has_no_intervals_or_stars_and_says_why() -> None:
    ratings = DATASET.ratings
    (trial,) = trials("random", ratings, ProtocolSettings())
    asked = replace(trial, cases=trial.cases[:3])
    outcome = Outcome("random", 10, 1.0, run_trials([asked], baselines, 10, DATASET.items))
    assert outcome.remarks == (
        "Only 3 users were asked: with fewer than 10 users no difference can be told from chance.",
    )
    assert all(row["ndcg@10_low"] is None for row in rows(outcome))
    for row in difference_rows(outcome):
        assert (row["p"], row["p_holm"], row["significant"]) == (None, None, False)
    summary = summary_of_outcome(outcome)
    assert "beside popularity with" in summary
    assert "too few users to tell the two apart" in summary
    assert "above" not in summary
    assert "nan" not in summary
    for table in (rating_table(outcome), ranking_table(outcome), beyond_accuracy_table(outcome)):
        assert table is not None
        cells = [str(cell) for column in table.columns for cell in column.cells]
        assert not any("*" in cell or "nan" in cell for cell in cells)


@pytest.mark.parametrize(
    ("folded", "words"),
    [
        (0.8, "lower the RMSE from 1.0000 to 0.8000"),
        (1.3, "raise the RMSE from 1.0000 to 1.3000"),
        (1.00001, "leave the RMSE at 1.0000"),
    ],
)
def test_the_summary_of_fold_in_says_which_way_the_error_went(folded: float, words: str) -> None:
    errors = {NO_FOLD_IN: 1.0, THREE_STEPS: folded, RETRAIN: 0.9}
    found = {name: {"rmse": mean_of(np.full(12, error))["gain"]} for name, error in errors.items()}
    point = CurvePoint(5, 12, compare_measures(found, 12, ours=THREE_STEPS))
    assert f"folded in by three steps, {words}; a full retrain" in summary_of_curve([point])
