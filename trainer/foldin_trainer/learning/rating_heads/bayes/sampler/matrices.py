"""Operations on very many small symmetric matrices: (d, d, n) for n of them.

Every step runs along n. One by one, products of this size take four times as long, and inverses
twice.
"""

from typing import Final

import torch

CHUNK: Final = 512  # matrices that stay in a CPU's cache while they are inverted


def products(matrices: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    """Returns the products (n, d) of symmetric matrices (d, d, n) and vectors (n, d)."""
    columns = vectors.T.contiguous()
    total = matrices[0] * columns[0]
    for matrix, column in zip(matrices[1:], columns[1:], strict=True):
        total.addcmul_(matrix, column)
    return total.T.contiguous()


def inverses_of_one_plus(matrices: torch.Tensor) -> torch.Tensor:
    """Returns (I + G)⁻¹ (d, d, n) of positive semidefinite matrices G (d, d, n).

    Gauss-Jordan elimination in place, without exchanging rows: no pivot is below 1 here.
    """
    inverses = matrices.clone(memory_format=torch.contiguous_format)
    inverses.diagonal().add_(1.0)
    rows = inverses.shape[2]
    step = CHUNK if inverses.device.type == "cpu" else max(rows, 1)
    for start in range(0, rows, step):
        whole = inverses[:, :, start : start + step]
        chunk = whole.contiguous()
        for place in range(len(chunk)):
            _eliminate(chunk, place)
        whole.copy_(chunk)
    return inverses


def _eliminate(chunk: torch.Tensor, place: int) -> None:
    """Exchanges one variable with its right-hand side in every matrix."""
    pivot = chunk[place, place].reciprocal()
    column = chunk[:, place].clone()
    row = chunk[place] * pivot
    chunk.addcmul_(column[:, None], row, value=-1.0)
    chunk[:, place] = column * -pivot
    chunk[place] = row
    chunk[place, place] = pivot
