"""The Gibbs sampler draws from the exact conditionals, learns, repeats and resumes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from foldin_model.arrays import Doubles, Floats
from foldin_model.errors import FoldinError
from foldin_trainer.data import Dataset
from foldin_trainer.data.splits import random_split
from foldin_trainer.learning.rating_heads.bayes.result import BayesResult, Sweep
from foldin_trainer.learning.rating_heads.bayes.sampler import incidence, matrices
from foldin_trainer.learning.rating_heads.bayes.sampler.matrices import (
    inverses_of_one_plus,
    products,
)
from foldin_trainer.learning.rating_heads.bayes.sampler.regression import Regression
from foldin_trainer.learning.rating_heads.bayes.settings import BayesSettings
from foldin_trainer.learning.rating_heads.bayes.side_information.features import Features
from foldin_trainer.learning.rating_heads.bayes.trainer import Checkpoint, train_bayes
from scipy import sparse

QUICK = BayesSettings(factors=4, dimension=10, sweeps=12, burn_in=4, thin=2, device="cpu")
LONGER = replace(QUICK, sweeps=40, burn_in=16)
CPU = torch.device("cpu")


def test_it_predicts_ratings_better_than_item_means_and_its_interval_covers(tiny: Dataset) -> None:
    kept, held = random_split(tiny.ratings, 0.2)
    train, test = tiny.ratings.take(kept), tiny.ratings.take(held)
    result = train_bayes(train, tiny.items, LONGER, validation=test)
    sums = np.bincount(train.items, train.values, minlength=len(train.item_ids))
    counts = np.bincount(train.items, minlength=len(train.item_ids))
    means = sums / np.maximum(counts, 1)
    by_mean = np.sqrt(np.mean((means[test.items] - test.values) ** 2))
    reached = np.sqrt(np.mean((result.factors.predict(test) - test.values) ** 2))
    assert reached < 0.8 * by_mean
    assert abs(reached - (result.sweeps[-1].rmse or 0.0)) < 2e-3
    low, high = result.interval(test.users, test.items)
    covered = np.mean((low <= test.values) & (test.values <= high))
    assert 0.86 < covered < 0.95


def test_coefficients_and_vectors_have_the_moments_of_their_joint_conditional() -> None:
    rows, columns, size = 6, 3, 2
    random = np.random.default_rng(0)
    known = random.standard_normal((rows, columns)).astype(np.float32)
    features = Features(sparse.csr_array(known), np.array([0, 1, 1]), ("one", "two"))
    strengths = np.array([0, 0.1, 1, 1, 3, 9])
    roots = random.standard_normal((rows, size, 3)) * np.sqrt(strengths)[:, None, None]
    grams = roots @ roots.transpose(0, 2, 1)
    linear = np.einsum("nij,nj->ni", grams, random.standard_normal((rows, size)))
    ridges = np.array([0.7, 2.0])
    regression = Regression(features, np.array([0, 1, 2, 3, 5, 8]), CPU)
    innermost = torch.tensor(grams.transpose(1, 2, 0), dtype=torch.float32)
    draws = []
    for _ in range(400):
        halves = np.einsum("nij,nj->ni", roots, random.standard_normal((rows, 3)))
        right = torch.tensor(linear + halves, dtype=torch.float32)
        drawn = regression.draw(ridges, innermost, right, random)
        both = (drawn.coefficients.numpy().ravel(), drawn.vectors.numpy().ravel())
        draws.append(np.concatenate(both))
        assert np.allclose(
            drawn.residuals,
            both[1].reshape(rows, size) - known @ drawn.coefficients.numpy(),
            atol=1e-4,
        )
    mean, covariance = _joint(known, grams, linear, ridges[[0, 1, 1]])
    found = np.array(draws)
    deviations = np.sqrt(np.diag(covariance))
    assert np.abs((found.mean(axis=0) - mean) / deviations).max() < 0.25
    scaled = (np.cov(found.T) - covariance) / np.outer(deviations, deviations)
    assert np.abs(scaled).max() < 0.25


def _joint(
    known: Floats, grams: Doubles, linear: Doubles, ridges: Doubles
) -> tuple[Doubles, Doubles]:
    """The exact mean and covariance of [B, X], written down as one dense Gaussian."""
    rows, columns = known.shape
    size = grams.shape[1]
    cut = columns * size
    full = np.zeros((cut + rows * size, cut + rows * size))
    full[:cut, :cut] = np.kron(known.T @ known + np.diag(ridges), np.eye(size))
    full[:cut, cut:] = -np.kron(known.T, np.eye(size))
    full[cut:, :cut] = -np.kron(known, np.eye(size))
    for row in range(rows):
        place = slice(cut + row * size, cut + (row + 1) * size)
        full[place, place] = np.eye(size) + grams[row]
    covariance = np.linalg.inv(full)
    return covariance @ np.concatenate((np.zeros(cut), linear.ravel())), covariance


def test_many_small_matrices_are_inverted_and_multiplied_at_once() -> None:
    random = torch.Generator().manual_seed(0)
    roots = torch.randn(1100, 5, 3, generator=random, dtype=torch.float64) * 10
    grams = roots @ roots.mT
    vectors = torch.randn(1100, 5, generator=random, dtype=torch.float64)
    innermost = grams.permute(1, 2, 0)
    inverses = inverses_of_one_plus(innermost).permute(2, 0, 1)
    assert torch.allclose(inverses, torch.linalg.inv(torch.eye(5) + grams), atol=1e-12)
    assert torch.allclose(products(innermost, vectors), (grams @ vectors[:, :, None]).squeeze(2))


def test_how_much_is_computed_at_once_changes_no_draw(
    tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(QUICK, sweeps=6)
    whole = train_bayes(tiny.ratings, tiny.items, settings).factors
    monkeypatch.setattr(incidence, "BUDGET", 400)
    monkeypatch.setattr(matrices, "CHUNK", 7)
    pieces = train_bayes(tiny.ratings, tiny.items, settings).factors
    assert np.allclose(pieces.predict(tiny.ratings), whole.predict(tiny.ratings), atol=1e-3)


def test_the_same_seed_gives_the_same_bits(tiny: Dataset) -> None:
    first, again = (train_bayes(tiny.ratings, tiny.items, QUICK) for _ in range(2))
    other = train_bayes(tiny.ratings, tiny.items, replace(QUICK, seed=1))
    assert _bits(first) == _bits(again)
    assert _bits(first) != _bits(other)


def test_a_resumed_training_ends_on_the_same_bits(tiny: Dataset, tmp_path: Path) -> None:
    settings = replace(QUICK, chains=2)
    whole = train_bayes(tiny.ratings, tiny.items, settings)
    checkpoint = Checkpoint(tmp_path / "bayes.pt", every=5)

    def stop(sweep: Sweep) -> None:
        if (sweep.chain, sweep.number) == (2, 5):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_bayes(tiny.ratings, tiny.items, settings, progress=stop, checkpoint=checkpoint)
    heard: list[Sweep] = []
    resumed = train_bayes(
        tiny.ratings, tiny.items, settings, progress=heard.append, checkpoint=checkpoint
    )
    assert len(heard) == 24 - 15
    assert _bits(resumed) == _bits(whole)
    assert repr(resumed.diagnostics) == repr(whole.diagnostics)  # NaN, as there are too few samples
    assert [path.name for path in tmp_path.iterdir()] == ["bayes.pt"]


@pytest.mark.parametrize("damage", ["empty", "cut short", "text", "something else"])
def test_a_checkpoint_that_cannot_be_read_is_refused_by_name(
    tiny: Dataset, tmp_path: Path, damage: str
) -> None:
    checkpoint = Checkpoint(tmp_path / "bayes.pt", every=3)
    torch.save([1, 2], checkpoint.path)
    whole = checkpoint.path.read_bytes()
    contents = {"empty": b"", "cut short": whole[: len(whole) // 2], "text": b"no checkpoint\n"}
    checkpoint.path.write_bytes(contents.get(damage, whole))
    with pytest.raises(FoldinError, match=r"bayes\.pt .*remove it"):
        train_bayes(tiny.ratings, tiny.items, QUICK, checkpoint=checkpoint)


def test_a_checkpoint_of_another_training_is_refused(tiny: Dataset, tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "bayes.pt", every=3)
    train_bayes(tiny.ratings, tiny.items, replace(QUICK, sweeps=6), checkpoint=checkpoint)
    with pytest.raises(FoldinError, match="other ratings or with other settings"):
        train_bayes(tiny.ratings, tiny.items, QUICK, checkpoint=checkpoint)


def test_settings_that_leave_no_sample_are_refused() -> None:
    with pytest.raises(FoldinError, match="take at least 63"):
        BayesSettings(sweeps=62)


def _bits(result: BayesResult) -> bytes:
    mf, spread = result.factors, result.spread
    arrays = (mf.user_biases, mf.user_vectors, mf.item_biases, mf.item_vectors)
    return b"".join(part.tobytes() for part in (*arrays, spread.user_variances, spread.item_noise))
