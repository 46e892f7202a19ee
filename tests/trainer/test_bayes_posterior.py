"""What is kept of samples: their exact mean where it fits, their spread, and how many they are."""

import numpy as np
import torch
from foldin_model.heads import Scale
from foldin_trainer.learning.bayes.diagnostics import effective_sample_size, split_rhat
from foldin_trainer.learning.bayes.posterior import Posterior, compress
from foldin_trainer.learning.bayes.spread import interval


def test_compression_is_exact_where_the_rank_fits() -> None:
    random = torch.Generator().manual_seed(0)
    parts = [
        (torch.randn(40, 3, generator=random), torch.randn(25, 3, generator=random))
        for _ in range(4)
    ]
    users, items = compress(parts, 12)
    assert torch.allclose(
        users @ items.T, torch.stack([a @ b.T for a, b in parts]).sum(0), atol=1e-4
    )


def test_compression_below_the_rank_is_the_best_there_is() -> None:
    random = torch.Generator().manual_seed(0)
    first, second = torch.randn(30, 8, generator=random), torch.randn(20, 8, generator=random)
    users, items = compress([(first, second)], 5)
    values = torch.linalg.svdvals(first @ second.T)
    missed = torch.linalg.norm(first @ second.T - users @ items.T)
    assert users.shape == (30, 5)
    assert torch.isclose(missed, values[5:].square().sum().sqrt(), rtol=1e-4)


def test_mean_and_variance_of_many_samples_are_those_of_the_samples() -> None:
    random = np.random.default_rng(0)
    shares = torch.tensor(random.dirichlet(np.ones(20))), torch.tensor(random.dirichlet(np.ones(9)))
    posterior = Posterior(*shares)
    base = random.standard_normal((20, 3)), random.standard_normal((9, 3))
    predictions = []
    for _ in range(40):
        users, items = (
            torch.tensor(side + 0.3 * random.standard_normal(side.shape), dtype=torch.float32)
            for side in base
        )
        posterior.add((users, items), (torch.ones(20), torch.ones(9)), 2.0)
        products = users[:, 1:] @ items[:, 1:].T
        predictions.append((users[:, :1] + items[:, :1].T + products).numpy())
    mean, spread = posterior.mean(9), posterior.spread()
    predicted = (
        mean.user_biases[:, None] + mean.item_biases + mean.user_vectors @ mean.item_vectors.T
    )
    assert np.allclose(predicted, np.mean(predictions, axis=0), atol=1e-4)
    variances = np.var(predictions, axis=0)
    assert np.allclose(spread.user_variances, variances @ shares[1].numpy(), rtol=1e-2)
    average = float(shares[0].numpy() @ spread.user_variances)
    by_item = shares[0].numpy() @ variances
    assert np.allclose(average * spread.item_variances, by_item, rtol=1e-2)
    assert np.allclose(spread.user_noise, 0.5)


def test_an_interval_holds_its_share_of_what_is_normal_and_stays_on_the_scale() -> None:
    random = np.random.default_rng(0)
    drawn = 3.0 + 0.5 * random.standard_normal(20_000)
    low, high = interval(np.full(20_000, 3.0), np.full(20_000, 0.5), Scale(0.0, 6.0))
    assert abs(np.mean((low <= drawn) & (drawn <= high)) - 0.9) < 0.01
    low, high = interval(np.array([4.9]), np.array([2.0]), Scale(0.5, 5.0))
    assert low[0] >= 0.5
    assert high[0] == 5.0


def test_chains_that_agree_have_an_rhat_of_one_and_count_every_independent_draw() -> None:
    draws = np.random.default_rng(0).standard_normal((4, 1000))
    assert abs(split_rhat(draws) - 1.0) < 0.01
    assert 3000 < effective_sample_size(draws) < 5000


def test_chains_apart_and_chains_that_drift_are_found_out() -> None:
    draws = np.random.default_rng(0).standard_normal((2, 400))
    assert split_rhat(draws + np.array([[0.0], [3.0]])) > 1.5
    assert split_rhat(draws + np.linspace(0.0, 4.0, 400)) > 1.3


def test_a_correlated_chain_is_worth_what_its_autocorrelation_says() -> None:
    random = np.random.default_rng(0)
    draws = np.zeros((4, 4000))
    noise = random.standard_normal(draws.shape)
    for step in range(1, draws.shape[1]):
        draws[:, step] = 0.8 * draws[:, step - 1] + noise[:, step]
    expected = draws.size * (1 - 0.8) / (1 + 0.8)
    assert 0.75 * expected < effective_sample_size(draws) < 1.25 * expected
