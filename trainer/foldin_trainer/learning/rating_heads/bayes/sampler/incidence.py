"""The ratings of one side, row by row, and the sums over them that its conditionals need.

Rows are taken in blocks, so that temporary memory is bounded.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import torch
from foldin_model.arrays import Doubles, Integers, Rows
from scipy import sparse

BUDGET: Final = 16_000_000  # numbers in a block of sums, and ratings in a block: 64 MB each


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Σ δ e eᵀ (d, d, n), Σ δ r e (n, d), Σ δ r² (n,) and Σ √δ ε e (n, d) over a row's ratings.

    e is the design of the other side, δ its noise precision, r the rating, ε standard normal. The
    matrices have their rows innermost, as in `matrices`.
    """

    outer: torch.Tensor
    cross: torch.Tensor
    square: torch.Tensor
    noise: torch.Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Incidence:
    """Compressed sparse rows of ratings: who rated what, and the difference from the mean.

    `starts` is (n_rows + 1,) on the CPU, `columns` and `values` (n,) in order of rows.
    """

    starts: Integers
    columns: torch.Tensor
    values: torch.Tensor
    width: int

    @property
    def counts(self) -> Integers:
        """The number of ratings of every row, (n_rows,)."""
        return np.diff(self.starts)

    @classmethod
    def gather(
        cls,
        rows: Rows,
        columns: Rows,
        values: Doubles,
        *,
        shape: tuple[int, int],
        device: torch.device,
    ) -> Self:
        """Returns the ratings, all (n,), sorted into shape[0] rows of shape[1] columns."""
        order = np.lexsort((columns, rows))
        counts = np.bincount(rows, minlength=shape[0])
        return cls(
            np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
            torch.tensor(columns[order], dtype=torch.int64, device=device),
            torch.tensor(values[order], dtype=torch.float32, device=device),
            shape[1],
        )

    def sums(
        self, designs: torch.Tensor, precisions: torch.Tensor, random: np.random.Generator
    ) -> Sums:
        """Returns the sums of all rows for `designs` (width, d) and `precisions` (width,).

        Precisions are products of one number a row and one a column. The sums are therefore
        products of one constant sparse matrix with all outer products at once.
        """
        size, device = designs.shape[1], designs.device
        first, second = torch.triu_indices(size, size, device=device)
        place = torch.empty(size, size, dtype=torch.int64, device=device)
        place[first, second] = place[second, first] = torch.arange(len(first), device=device)
        weighted = designs * precisions[:, None]
        outer = weighted[:, first] * designs[:, second]
        rooted = designs * precisions.sqrt()[:, None]
        parts = []
        for starts, inside in self._blocks(size * size):
            columns, values = self.columns[inside], self.values[inside]
            noise = random.standard_normal(len(values), np.float32)

            def of(values: torch.Tensor, dense: torch.Tensor) -> torch.Tensor:
                matrix = sparse_rows(starts, columns, values, self.width)  # noqa: B023
                return matrix @ dense

            parts.append(
                (
                    of(torch.ones_like(values), outer).T.contiguous()[place],
                    of(values, weighted),
                    of(values.square(), precisions[:, None]).squeeze(1),
                    of(torch.from_numpy(noise).to(device), rooted),
                )
            )
        return Sums(
            *(
                torch.cat(part, dim=-1 if part[0].dim() == 3 else 0)
                for part in zip(*parts, strict=True)
            )
        )

    def _blocks(self, numbers: int) -> Iterator[tuple[Integers, slice]]:
        """Yields the row starts within a block of rows, and the place of its ratings."""
        low, last = 0, len(self.starts) - 1
        while low < last:
            fitting = int(np.searchsorted(self.starts, self.starts[low] + BUDGET, "right")) - 1
            high = min(max(fitting, low + 1), low + max(1, BUDGET // numbers), last)
            starts = self.starts[low : high + 1]
            yield starts - starts[0], slice(int(starts[0]), int(starts[-1]))
            low = high


def sparse_rows(
    starts: Integers, columns: torch.Tensor, values: torch.Tensor, width: int
) -> torch.Tensor:
    """Returns a torch matrix in compressed sparse rows, on the device of `columns`."""
    with warnings.catch_warnings():  # that their interface is in beta
        warnings.simplefilter("ignore", UserWarning)
        return torch.sparse_csr_tensor(
            torch.from_numpy(starts).to(columns.device),
            columns,
            values,
            size=(len(starts) - 1, width),
            check_invariants=False,
        )


def to_torch(matrix: sparse.csr_array, device: torch.device) -> torch.Tensor:
    """Returns the same float32 matrix in torch's compressed sparse rows."""
    columns = torch.tensor(matrix.indices, dtype=torch.int64, device=device)
    values = torch.tensor(matrix.data, dtype=torch.float32, device=device)
    return sparse_rows(matrix.indptr.astype(np.int64), columns, values, matrix.shape[1])
