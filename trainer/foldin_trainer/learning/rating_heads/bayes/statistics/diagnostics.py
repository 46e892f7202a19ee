"""Whether chains have forgotten where they started: split R-hat and effective sample size.

Both are ArviZ's, of Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), rank-normalised; of its
array functions only, which need no more than numpy and scipy.
"""

import numpy as np
from arviz_stats.base import array_stats
from foldin_model.arrays import Doubles


def split_rhat(draws: Doubles) -> Doubles:
    """√(pooled variance / variance within) of every quantity, each chain cut in halves.

    `draws` are (n_chains, n, n_quantities). Near 1 where all halves tell the same; above 1.01 they
    do not yet. A chain by itself counts as two, its halves. NaN under four draws a chain.
    """
    if len(draws) == 1:
        half = draws.shape[1] // 2
        draws = np.concatenate((draws[:, :half], draws[:, draws.shape[1] - half :]))
    with np.errstate(invalid="ignore", divide="ignore"):  # what never moved has no R-hat
        return _each(array_stats.rhat(draws, chain_axis=0, draw_axis=1), draws)


def effective_sample_size(draws: Doubles) -> Doubles:
    """How many independent draws those (n_chains, n, n_quantities) are worth for their mean.

    NaN under four draws a chain.
    """
    return _each(array_stats.ess(draws, chain_axis=0, draw_axis=1), draws)


def _each(found: Doubles, draws: Doubles) -> Doubles:
    return np.broadcast_to(np.asarray(found, np.float64), draws.shape[2:])
