"""Draws from the distributions of the sampler, all from one NumPy generator on the CPU.

Every device therefore gets the same random numbers, and the generator's state can be saved.
"""

import numpy as np
import torch
from foldin_model.arrays import Doubles


def normal(random: np.random.Generator, *shape: int, device: torch.device) -> torch.Tensor:
    """Returns independent standard normal float32 numbers."""
    return torch.from_numpy(random.standard_normal(shape, np.float32)).to(device)


def gamma(random: np.random.Generator, shape: Doubles, rate: Doubles) -> Doubles:
    """Returns independent draws from Gamma(shape, rate), one for each pair."""
    return np.asarray(random.standard_gamma(shape) / rate, np.float64)


def wishart(random: np.random.Generator, inverse_scale: Doubles, degrees: float) -> Doubles:
    """Returns one draw from the Wishart of (d, d) scale `inverse_scale`⁻¹ (Bartlett 1933)."""
    size = len(inverse_scale)
    lower = np.tril(random.standard_normal((size, size)), -1)
    lower[np.diag_indices(size)] = np.sqrt(random.chisquare(degrees - np.arange(size)))
    root = np.linalg.solve(np.linalg.cholesky(inverse_scale).T, lower)
    return np.asarray(root @ root.T, np.float64)
