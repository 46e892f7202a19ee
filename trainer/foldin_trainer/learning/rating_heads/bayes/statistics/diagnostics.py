"""Convergence of chains: split R-hat and effective sample size.

Both are rank-normalized, by Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021). Only the array
functions of ArviZ are used, which need nothing but NumPy and SciPy.
"""

import numpy as np
from arviz_stats.base import array_stats
from foldin_model.arrays import Doubles


def split_rhat(draws: Doubles) -> Doubles:
    """Returns √(pooled variance / variance within) of every quantity, over halves of chains.

    `draws` are (n_chains, n, n_quantities). The result is near 1 if all halves agree; above 1.01
    they do not yet. A single chain counts as two, its halves. NaN under four draws a chain.
    """
    if len(draws) == 1:
        half = draws.shape[1] // 2
        draws = np.concatenate((draws[:, :half], draws[:, draws.shape[1] - half :]))
    with np.errstate(invalid="ignore", divide="ignore"):  # a constant has no R-hat
        return _each(array_stats.rhat(draws, chain_axis=0, draw_axis=1), draws)


def effective_sample_size(draws: Doubles) -> Doubles:
    """Returns the number of independent draws that give as good a mean as `draws`.

    `draws` are (n_chains, n, n_quantities). NaN under four draws a chain.
    """
    return _each(array_stats.ess(draws, chain_axis=0, draw_axis=1), draws)


def _each(found: Doubles, draws: Doubles) -> Doubles:
    return np.broadcast_to(np.asarray(found, np.float64), draws.shape[2:])
