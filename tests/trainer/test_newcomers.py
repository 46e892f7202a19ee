"""A newcomer's fold-in is measured against what every sample says of her."""

import numpy as np
from foldin_trainer.evaluation.newcomers import Conditional, newcomer_gaps
from foldin_trainer.learning.bayes.settings import BayesSettings
from foldin_trainer.learning.questions import Question
from tiny import tiny_dataset

SETTINGS = BayesSettings(factors=4, dimension=8, sweeps=24, burn_in=10, thin=2, device="cpu")


def test_the_fold_in_keeps_up_with_the_samples() -> None:
    gaps = list(newcomer_gaps(tiny_dataset(users=100, items=80), SETTINGS))
    assert [gap.ratings for gap in gaps] == [1, 2, 5, 10, 20, None]
    assert {gap.users for gap in gaps} == {10}
    assert max(gap.gap for gap in gaps) < 0.02
    assert gaps[-1].folded < gaps[0].folded
    assert gaps[-1].sampled < gaps[0].sampled


def test_a_samples_conditional_is_that_of_a_gaussian() -> None:
    """Against conditioning the joint normal of vector and ratings, written down whole."""
    rng = np.random.default_rng(0)
    sample = Conditional(
        mean=3.5,
        designs=np.column_stack((np.ones(6), rng.normal(size=(6, 2)))),
        biases=rng.normal(size=6),
        precisions=rng.uniform(0.5, 2.0, 6),
        constant=rng.normal(size=3),
        effects=rng.normal(size=(6, 3)),
        precision=np.diag([2.0, 3.0, 4.0]) + 0.5,
    )
    rows, hidden = np.array([0, 2, 3], np.int32), np.array([1, 5], np.int32)
    values = np.array([4.0, 2.0, 3.0])
    question = Question(rows, values, hidden, np.zeros(2), hidden[:0])
    mean = sample.constant + sample.effects[rows].sum(axis=0) / np.sqrt(3)
    covariance = np.linalg.inv(sample.precision)
    means = sample.mean + sample.biases + sample.designs @ mean
    joint = sample.designs @ covariance @ sample.designs.T + np.diag(1.0 / sample.precisions)
    gain = joint[np.ix_(hidden, rows)] @ np.linalg.inv(joint[np.ix_(rows, rows)])
    wanted = means[hidden] + gain @ (values - means[rows])
    np.testing.assert_allclose(sample.predict(question), wanted, rtol=1e-9)
