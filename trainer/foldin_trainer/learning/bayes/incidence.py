"""The ratings of one side, row by row, and the sums over them that its conditionals need.

Memory stays bounded, as rows are taken in blocks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import torch
from foldin_model.arrays import Doubles, Integers, Rows

BUDGET: Final = 16_000_000  # numbers of all sums of a block of rows: 64 MB in float32


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """For `rows`: Σ δ e eᵀ (n, d, d), Σ δ r e (n, d) and Σ δ r² (n,) over their ratings.

    e is the design of the other side with its offset last, δ its noise precision.
    """

    rows: slice
    outer: torch.Tensor
    cross: torch.Tensor
    square: torch.Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Incidence:
    """Compressed sparse rows of ratings: who rated what, and how far from the mean.

    `starts` is (n_rows + 1,), `columns` and `values` (n,) in order of rows.
    """

    starts: torch.Tensor
    columns: torch.Tensor
    values: torch.Tensor
    width: int

    @classmethod
    def gather(
        cls, rows: Rows, columns: Rows, values: Doubles, *, shape: tuple[int, int], device: str
    ) -> Self:
        """The ratings, all (n,), sorted into shape[0] rows of shape[1] columns."""
        order = np.lexsort((columns, rows))
        starts = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=shape[0]))))
        return cls(
            torch.tensor(starts, dtype=torch.int64, device=device),
            torch.tensor(columns[order], dtype=torch.int64, device=device),
            torch.tensor(values[order], dtype=torch.float32, device=device),
            shape[1],
        )

    @property
    def counts(self) -> Integers:
        """Ratings of every row."""
        return np.diff(self.starts.cpu().numpy())

    def sums(self, designs: torch.Tensor, precisions: torch.Tensor) -> Iterator[Sums]:
        """The sums of all rows, block by block.

        `designs` is (width, d), `precisions` (width,). As precisions are products of one number
        a row and one a column, the matrix of every sum is constant, which sparse times dense
        products of all outer products at once are made for.
        """
        size = designs.shape[1]
        first, second = torch.triu_indices(size, size, device=designs.device)
        weighted = designs * precisions[:, None]
        outer = weighted[:, first] * designs[:, second]
        place = torch.empty(size, size, dtype=torch.int64, device=designs.device)
        place[first, second] = place[second, first] = torch.arange(
            len(first), device=designs.device
        )
        height = max(1, BUDGET // (size * size))
        for low in range(0, len(self.starts) - 1, height):
            rows = slice(low, min(low + height, len(self.starts) - 1))
            yield Sums(
                rows,
                (self._block(rows, 0) @ outer)[:, place],
                self._block(rows, 1) @ weighted,
                (self._block(rows, 2) @ precisions[:, None]).squeeze(1),
            )

    def _block(self, rows: slice, power: int) -> torch.Tensor:
        starts = self.starts[rows.start : rows.stop + 1]
        inside = slice(int(starts[0]), int(starts[-1]))
        return torch.sparse_csr_tensor(
            starts - starts[0],
            self.columns[inside],
            self.values[inside] ** power,
            size=(len(starts) - 1, self.width),
            check_invariants=False,
        )
