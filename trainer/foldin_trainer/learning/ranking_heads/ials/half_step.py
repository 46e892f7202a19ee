"""One half of alternating least squares: solves for all vectors of one side with the other fixed.

Ratings and rules come as arrays of rows, columns, weights and targets.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import torch
from foldin_model.arrays import Doubles, Floats, Integers, Rows

BUDGET: Final = 4_000_000  # numbers gathered at a time: 16 MB in float32
WASTE: Final = 1.3  # rows solved together differ in length by at most this factor


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """The observations of every row, one after the other: row i has starts[i]:starts[i + 1].

    `columns`, `weights` and `targets` are (n,) tensors, `starts` (n_rows + 1,).
    """

    starts: Integers
    columns: torch.Tensor
    weights: torch.Tensor
    targets: torch.Tensor

    @classmethod
    def gather(
        cls,
        rows: Rows,
        columns: Rows,
        weights: Doubles,
        targets: Doubles,
        *,
        size: int,
        device: torch.device,
    ) -> Self:
        """Returns the observations, all (n,), sorted into `size` rows."""
        order = np.argsort(rows, kind="stable")
        counts = np.bincount(rows, minlength=size)
        return cls(
            np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
            torch.tensor(columns[order], dtype=torch.int64, device=device),
            torch.tensor(weights[order], dtype=torch.float32, device=device),
            torch.tensor(targets[order], dtype=torch.float32, device=device),
        )

    @property
    def counts(self) -> Integers:
        """The number of observations of every row."""
        return np.diff(self.starts)


def solve_side(
    side: Side, vectors: torch.Tensor, unobserved_weight: float, l2: Floats
) -> torch.Tensor:
    """Returns the x of every row that minimizes Σ_j w_j (t_j − x·v_j)² + α Σ_all (x·v)² + l2·|x|².

    `vectors` is (n_columns, d), `l2` (n_rows,), the result (n_rows, d); rows without observations
    get zero. In the eigenbasis of α·VᵀV the prior of every row is diagonal, whatever its l2, so
    short rows are solved in the n × n kernel form and long ones as d × d normal equations.
    """
    gram = (unobserved_weight * vectors.T @ vectors).cpu()  # a small problem: same on all devices
    energies, columns = torch.linalg.eigh(gram.double())
    diagonals = energies.clamp(min=0.0).to(vectors)
    basis: torch.Tensor = columns.to(vectors)
    rotated = vectors @ basis
    penalties = torch.tensor(l2, device=vectors.device)
    solved = torch.zeros(len(l2), vectors.shape[1], device=vectors.device)
    for rows in _groups(side.counts, vectors.shape[1]):
        index = torch.tensor(rows, device=vectors.device)
        diagonal = diagonals + penalties[index][:, None]
        solved[index] = _solve_group(side, rows, rotated, diagonal)
    return torch.matmul(solved, basis.T)


def _solve_group(
    side: Side, rows: Integers, rotated: torch.Tensor, diagonal: torch.Tensor
) -> torch.Tensor:
    counts = side.counts[rows]
    places = side.starts[rows][:, None] + np.arange(counts.max())
    inside = np.arange(counts.max()) < counts[:, None]
    positions = torch.tensor(np.where(inside, places, 0), device=rotated.device)
    mask = torch.tensor(inside, device=rotated.device)
    roots = (side.weights[positions] * mask).sqrt()[:, :, None]
    scale = diagonal.rsqrt()[:, None, :]
    observed = rotated[side.columns[positions]] * roots * scale
    wanted = side.targets[positions][:, :, None] * roots
    if observed.shape[1] <= observed.shape[2]:
        solved = observed.mT @ _solve(observed @ observed.mT, wanted)
    else:
        solved = _solve(observed.mT @ observed, observed.mT @ wanted)
    return torch.mul(solved, scale.mT).squeeze(2)


def _solve(matrices: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Returns x of (matrix + I) x = right for every matrix of a batch."""
    matrices.diagonal(dim1=1, dim2=2).add_(1.0)
    solved: torch.Tensor = torch.cholesky_solve(right, torch.linalg.cholesky(matrices))
    return solved


def _groups(counts: Integers, dimension: int) -> Iterator[Integers]:
    """Yields rows with observations, those of similar length together, within the budget."""
    order = np.argsort(counts, kind="stable")
    lengths = counts[order]
    start = int(np.searchsorted(lengths, 1))
    while start < len(order):
        longest = max(int(lengths[start] * WASTE), int(lengths[start]) + 2)
        end = int(np.searchsorted(lengths, longest, side="right"))
        end = min(end, start + max(1, BUDGET // (longest * dimension)))
        yield order[start:end]
        start = end
