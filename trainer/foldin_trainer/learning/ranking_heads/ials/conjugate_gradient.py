"""One half of alternating least squares by a few conjugate gradient steps from the old vectors.

The same problem as `half_step.solve_side`, for the CPU: no row has a matrix of its own, so that a
step costs ratings times dimensions, and memory is bounded at any dimension.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from foldin_model.arrays import Floats
from torch.nn.functional import embedding_bag

from foldin_trainer.learning.ranking_heads.ials.half_step import BUDGET, Side


def approach_side(
    side: Side,
    vectors: torch.Tensor,
    unobserved_weight: float,
    l2: Floats,
    *,
    start: torch.Tensor,
    steps: int,
) -> torch.Tensor:
    """Returns vectors of every row that are closer to those of `solve_side` than `start`.

    `start` and the result are (n_rows, d). No step raises a row's objective, and d steps solve it
    but for rounding. In the eigenbasis of α·VᵀV the quadratic term of all items is diagonal and
    preconditions the steps: if a rated pair weighs about as much as an unrated one, two steps are
    nearly exact (conjugate gradients from a warm start, Takács, Pilászy & Tikk 2011, for all rows
    of a chunk at once).
    """
    energies, columns = torch.linalg.eigh((unobserved_weight * vectors.T @ vectors).double())
    basis = columns.to(vectors)
    rotated = vectors @ basis
    observed = torch.tensor(side.counts > 0).to(vectors)[:, None]
    found = (start @ basis).mul_(observed)
    penalties = torch.tensor(l2)[:, None]
    for rows in _chunks(side, vectors.shape[1]):
        diagonal = energies.clamp(min=0.0).to(vectors) + penalties[rows]
        _approach(_Chunk.of(side, rows, rotated), diagonal, found[rows], steps)
    return torch.matmul(found, basis.T)


def _approach(chunk: "_Chunk", diagonal: torch.Tensor, found: torch.Tensor, steps: int) -> None:
    """Moves `found`, (rows, d), in place by `steps` preconditioned steps."""
    rest = chunk.weighted_sum(chunk.weights * (chunk.targets - chunk.products(found)))
    rest -= diagonal * found
    direction = rest / diagonal
    energy = _inner(rest, direction)
    for step in range(steps):
        image = chunk.weighted_sum(chunk.weights * chunk.products(direction))
        image += diagonal * direction
        length = _ratio(energy, _inner(direction, image))
        found.addcmul_(length, direction)
        if step + 1 < steps:
            rest.addcmul_(length, image, value=-1.0)
            scaled = rest / diagonal
            before, energy = energy, _inner(rest, scaled)
            direction = scaled.addcmul_(_ratio(energy, before), direction)


@dataclass(frozen=True, slots=True, eq=False)
class _Chunk:
    """Successive rows of a side with the vectors of its columns, (n_columns, d)."""

    vectors: torch.Tensor
    places: torch.Tensor
    columns: torch.Tensor
    starts: torch.Tensor
    weights: torch.Tensor
    targets: torch.Tensor

    @classmethod
    def of(cls, side: Side, rows: slice, vectors: torch.Tensor) -> "_Chunk":
        starts = side.starts[rows.start : rows.stop + 1]
        inside = slice(int(starts[0]), int(starts[-1]))
        columns, weights = side.columns[inside], side.weights[inside]
        offsets = torch.tensor(starts - starts[0])
        with warnings.catch_warnings():  # that sparse tensors are in beta
            warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta", UserWarning)
            places = torch.sparse_csr_tensor(
                offsets,
                columns,
                weights,
                (len(starts) - 1, len(vectors)),
                check_invariants=False,
            )
        return cls(vectors, places, columns, offsets, weights, side.targets[inside])

    def products(self, left: torch.Tensor) -> torch.Tensor:
        """Returns (n,) products of every observation's row of `left` with its column's vector."""
        products: torch.Tensor = torch.sparse.sampled_addmm(
            self.places, left, self.vectors.T, beta=0.0
        )
        values: torch.Tensor = products.values()
        return values

    def weighted_sum(self, weights: torch.Tensor) -> torch.Tensor:
        """Returns every row's sum of its columns' vectors, weighted by (n,)."""
        summed: torch.Tensor = embedding_bag(
            self.columns,
            self.vectors,
            self.starts,
            mode="sum",
            per_sample_weights=weights,
            include_last_offset=True,
        )
        return summed


def _inner(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    return (left * right).sum(1, keepdim=True)


def _ratio(above: torch.Tensor, below: torch.Tensor) -> torch.Tensor:
    """Returns the quotient, and 0 where a row is solved already."""
    return torch.where(below > 0.0, above / below, 0.0)


def _chunks(side: Side, dimension: int) -> Iterator[slice]:
    """Yields all rows in order, in slices whose rows and observations are within the budget."""
    rows = len(side.starts) - 1
    start = 0
    while start < rows:
        end = min(rows, start + max(1, BUDGET // dimension))
        fits = int(side.starts.searchsorted(side.starts[start] + BUDGET, side="right")) - 1
        end = max(start + 1, min(end, fits))
        yield slice(start, end)
        start = end
