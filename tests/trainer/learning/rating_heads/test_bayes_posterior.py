"""Statistics of samples: their mean, exact if the rank fits, their variances, diagnostics."""

import numpy as np
import torch
from foldin_model.scale import Scale
from foldin_trainer.learning.rating_heads.bayes.statistics.diagnostics import (
    effective_sample_size,
    split_rhat,
)
from foldin_trainer.learning.rating_heads.bayes.statistics.posterior import Posterior, compress
from foldin_trainer.learning.rating_heads.spread import interval


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


def test_compression_below_the_rank_is_the_best_approximation() -> None:
    random = torch.Generator().manual_seed(0)
    first, second = torch.randn(30, 8, generator=random), torch.randn(20, 8, generator=random)
    users, items = compress([(first, second)], 5)
    values = torch.linalg.svdvals(first @ second.T)
    missed = torch.linalg.norm(first @ second.T - users @ items.T)
    assert users.shape == (30, 5)
    assert torch.isclose(missed, values[5:].square().sum().sqrt(), rtol=1e-4)


def test_compression_is_closest_for_pairs_of_large_weight() -> None:
    random = torch.Generator().manual_seed(0)
    first, second = torch.randn(30, 8, generator=random), torch.randn(20, 8, generator=random)
    weights = torch.rand(30, generator=random) ** 4 + 0.01, torch.rand(20, generator=random) + 0.01
    whole = first @ second.T

    def missed(pair: tuple[torch.Tensor, torch.Tensor]) -> float:
        return float(weights[0] @ (whole - pair[0] @ pair[1].T).square() @ weights[1])

    weighted = compress([(first, second)], 3, weights)
    scaled = weights[0].sqrt()[:, None] * whole * weights[1].sqrt()
    least = torch.linalg.svdvals(scaled)[3:].square().sum()
    assert missed(weighted) < 0.9 * missed(compress([(first, second)], 3))
    assert abs(missed(weighted) - float(least)) < 1e-3 * float(least)


def test_mean_and_variance_of_many_samples_are_those_of_the_samples() -> None:
    random = np.random.default_rng(0)
    counts = (
        torch.arange(1.0, 21.0).double(),
        torch.tensor([7.0, 1, 30, 2, 2, 90, 70, 0, 8]).double(),
    )
    shares = counts[0] / 210, counts[1] / 210
    posterior = Posterior(*counts)
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


def test_an_interval_holds_its_share_of_normal_draws_and_stays_on_the_scale() -> None:
    random = np.random.default_rng(0)
    drawn = 3.0 + 0.5 * random.standard_normal(20_000)
    low, high = interval(np.full(20_000, 3.0), np.full(20_000, 0.5), Scale(0.0, 6.0))
    assert abs(np.mean((low <= drawn) & (drawn <= high)) - 0.9) < 0.01
    low, high = interval(np.array([4.9]), np.array([2.0]), Scale(0.5, 5.0))
    assert low[0] >= 0.5
    assert high[0] == 5.0


def test_chains_that_agree_have_an_rhat_of_one_and_count_every_independent_draw() -> None:
    draws = np.random.default_rng(0).standard_normal((4, 1000, 2))
    assert np.abs(split_rhat(draws) - 1.0).max() < 0.01
    sizes = effective_sample_size(draws)
    assert sizes.shape == (2,)
    assert ((sizes > 3000) & (sizes < 5000)).all()


def test_chains_that_differ_or_drift_have_a_large_rhat() -> None:
    draws = np.random.default_rng(0).standard_normal((2, 400, 1))
    assert split_rhat(draws + np.array([[[0.0]], [[3.0]]]))[0] > 1.5
    assert split_rhat(draws + np.linspace(0.0, 4.0, 400)[:, None])[0] > 1.3


def test_the_effective_size_of_a_correlated_chain_follows_its_autocorrelation() -> None:
    random = np.random.default_rng(0)
    draws = np.zeros((4, 4000, 1))
    noise = random.standard_normal(draws.shape)
    for step in range(1, draws.shape[1]):
        draws[:, step] = 0.8 * draws[:, step - 1] + noise[:, step]
    expected = draws.size * (1 - 0.8) / (1 + 0.8)
    assert 0.75 * expected < effective_sample_size(draws)[0] < 1.25 * expected


def test_the_halves_of_a_single_chain_are_compared() -> None:
    draws = np.random.default_rng(0).standard_normal((1, 400, 2))
    assert np.abs(split_rhat(draws) - 1.0).max() < 0.05
    assert split_rhat(draws + np.linspace(0.0, 4.0, 400)[:, None]).min() > 1.3


def test_too_few_draws_give_no_diagnostics() -> None:
    draws = np.random.default_rng(0).standard_normal((2, 3, 5))
    assert np.isnan(split_rhat(draws)).all()
    assert np.isnan(effective_sample_size(draws)).all()
