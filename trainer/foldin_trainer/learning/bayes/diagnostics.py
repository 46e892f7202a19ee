"""Whether chains have forgotten where they started: split R-hat and effective sample size.

Our own few lines and not ArviZ, which would bring xarray and more for two formulas. Vehtari,
Gelman, Simpson, Carpenter & Bürkner (2021): eq. 1-4 and 10-13, without rank normalisation.
"""

import numpy as np
from foldin_model.arrays import Doubles


def split_rhat(draws: Doubles) -> float:
    """√(pooled variance / variance within) of (n_chains, n) draws, each chain cut in halves.

    Near 1 where all halves tell the same; above 1.01 they do not yet. NaN under four draws.
    """
    halves = _halves(draws)
    if halves.shape[1] < 2:
        return float("nan")
    within, pooled = _variances(halves)
    return float(np.sqrt(pooled / within)) if within > 0.0 else 1.0


def effective_sample_size(draws: Doubles) -> float:
    """How many independent draws (n_chains, n) draws are worth for their mean.

    By autocorrelations over the split chains, cut by Geyer's initial monotone sequence. NaN
    under eight draws.
    """
    halves = _halves(draws)
    chains, length = halves.shape
    if length < 4:
        return float("nan")
    within, pooled = _variances(halves)
    if pooled == 0.0:
        return float(halves.size)
    covariances = np.mean([_autocovariance(chain) for chain in halves], axis=0)
    correlations = 1.0 - (within - covariances * length / (length - 1)) / pooled
    correlations[0] = 1.0
    pairs = correlations[: length // 2 * 2].reshape(-1, 2).sum(axis=1)
    negative = np.flatnonzero(pairs < 0.0)
    pairs = pairs[: negative[0]] if len(negative) else pairs
    total = 2.0 * np.minimum.accumulate(pairs).sum() - 1.0
    size = chains * length
    return float(size / max(total, 1.0 / np.log10(size)))


def _halves(draws: Doubles) -> Doubles:
    half = draws.shape[1] // 2
    return np.concatenate((draws[:, :half], draws[:, draws.shape[1] - half :]))


def _variances(chains: Doubles) -> tuple[float, float]:
    """The variance within chains and that of all draws pooled, (n − 1)/n·W + B/n."""
    length = chains.shape[1]
    within = float(chains.var(axis=1, ddof=1).mean())
    between = float(chains.mean(axis=1).var(ddof=1))
    return within, (length - 1) / length * within + between


def _autocovariance(chain: Doubles) -> Doubles:
    """Autocovariances (n,) of all lags, divided by n."""
    length = len(chain)
    padded = np.fft.rfft(chain - chain.mean(), 2 * length)
    return np.asarray(np.fft.irfft(np.abs(padded) ** 2)[:length] / length, np.float64)
