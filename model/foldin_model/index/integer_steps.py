"""The rows of a matrix in whole numbers, in steps that machine code goes through by itself.

They take one byte a number and no more than fills up the last part of a row. numkong packs rows for
AMX as tightly; for other machines it pads them to several times as much, which does no harm to few
rows that stay in the processor's caches, and makes many slow to read.
"""

from functools import cache
from typing import Final

import numkong
import numpy as np
from numpy.typing import NDArray

from foldin_model.arrays import Doubles, Floats
from foldin_model.index import scan_kernels
from foldin_model.index.integer_scores import QuantizedQueries, QuantizedRows, Rotation, most_exact
from foldin_model.index.scan_kernels import UNROLLED
from foldin_model.row_lists import HitLists, RowLists

_MOST_PADDING: Final = 1.25
_SAMPLE: Final = 64


class QuantizedSteps:
    """The first rows (n, d) of a matrix, `size` a step; in whole numbers they are a copy."""

    def __init__(self, vectors: Floats, rotation: Rotation, size: int) -> None:
        self.size = size
        self.count: int = -(-len(vectors) // size)
        self._vectors = vectors
        self._whole = np.empty((len(vectors), _parts(vectors.shape[1]), UNROLLED), np.int8)
        self._units, self._lost, self._kept = np.zeros((3, self.count))
        for step in range(self.count):
            place = slice(step * size, (step + 1) * size)
            rows = QuantizedRows.of(vectors[place], rotation)
            self._whole[place] = _in_parts(rows.whole)
            self._units[step], self._lost[step], self._kept[step] = rows.unit, rows.lost, rows.kept

    def __len__(self) -> int:
        return len(self._vectors)

    @property
    def memory_bytes(self) -> int:
        """What whole numbers take, and nothing of it is shared between processes."""
        return self._whole.nbytes

    def search(
        self,
        queries: Doubles,
        rotated: QuantizedQueries,
        ceilings: Doubles,
        hidden: RowLists,
        lists: HitLists,
    ) -> bool:
        """The lists of (m, d) queries are those of these rows too; whether any can be improved yet.

        `ceilings` (m, n) are those of the steps and of what follows them. None reads a step whose
        ceiling says that it cannot improve a list. Where whole numbers of a step are no help, all
        its rows are scored exactly.
        """
        goes_on: bool = scan_kernels.scan_steps(
            (self._whole, self._units, self._lost, self._kept),
            self.size,
            (_in_parts(rotated.whole), rotated.units, rotated.lengths, rotated.lost),
            ceilings,
            self._vectors,
            queries,
            hidden.rows,
            hidden.starts,
            most_exact(self.size, lists.rows.shape[1]),
            *lists,
        )
        return goes_on


@cache
def numkong_pads(dimension: int) -> bool:
    """Whether numkong's rows take much more than those of steps do, on this machine."""
    rows = np.zeros((_SAMPLE, dimension), np.int8)
    return bool(numkong.dots_pack(rows).nbytes > _MOST_PADDING * _in_parts(rows).nbytes)


def _in_parts(rows: "NDArray[np.int8]") -> "NDArray[np.int8]":
    """(n, p, UNROLLED): a copy of (n, d) with zeros behind it."""
    count, dimension = rows.shape
    parts = np.zeros((count, _parts(dimension), UNROLLED), np.int8)
    parts.reshape(count, -1)[:, :dimension] = rows
    return parts


def _parts(dimension: int) -> int:
    return -(-dimension // UNROLLED)
