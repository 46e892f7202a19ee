"""The rows of a matrix in int8, in steps that one kernel scans without returning to Python.

They take one byte a number, padded to a multiple of UNROLLED numbers a row. numkong packs rows for
AMX as tightly; on other machines it pads them to several times as much, which does no harm to few
rows that stay in the processor's caches, and makes many rows slow to read.
"""

from functools import cache
from typing import Final

import numkong
import numpy as np

from foldin_model.arrays import Doubles, Floats
from foldin_model.index import scan_kernels
from foldin_model.index.quantized_rows import (
    Codes,
    QuantizedQueries,
    QuantizedRows,
    Rotation,
    max_exact,
)
from foldin_model.index.scan_kernels import UNROLLED
from foldin_model.row_lists import HitLists, RowLists

_MAX_PADDING: Final = 1.25
_SAMPLE: Final = 64


class QuantizedSteps:
    """The first rows (n, d) of a matrix, `size` rows a step, with a copy of them in int8."""

    def __init__(self, vectors: Floats, rotation: Rotation, size: int) -> None:
        self.size = size
        self.count: int = -(-len(vectors) // size)
        self._vectors = vectors
        self._codes = np.empty((len(vectors), _parts(vectors.shape[1]), UNROLLED), np.int8)
        self._scales, self._errors, self._lengths = np.zeros((3, self.count))
        for step in range(self.count):
            place = slice(step * size, (step + 1) * size)
            codes, scale, error, length = QuantizedRows.of(vectors[place], rotation)
            self._codes[place] = _in_parts(codes)
            self._scales[step], self._errors[step], self._lengths[step] = scale, error, length

    def __len__(self) -> int:
        return len(self._vectors)

    @property
    def memory_bytes(self) -> int:
        """The memory of the copy, which processes do not share."""
        return self._codes.nbytes

    def search(
        self,
        queries: Doubles,
        quantized: QuantizedQueries,
        ceilings: Doubles,
        hidden: RowLists,
        lists: HitLists,
    ) -> bool:
        """Puts the best rows of all steps into `lists`; returns whether later rows could be better.

        `queries` are (m, d). `ceilings` (m, n) bound the scores from each step on, and then from
        what follows the steps; a step whose ceiling is too low is not read. Where int8 scores of a
        step leave too many rows, all its rows are scored exactly.
        """
        goes_on: bool = scan_kernels.scan_steps(
            (self._codes, self._scales, self._errors, self._lengths),
            self.size,
            (_in_parts(quantized.codes), quantized.scales, quantized.lengths, quantized.errors),
            ceilings,
            self._vectors,
            queries,
            hidden.rows,
            hidden.starts,
            max_exact(self.size, lists.rows.shape[1]),
            *lists,
        )
        return goes_on


@cache
def numkong_pads(dimension: int) -> bool:
    """Returns whether numkong packs rows much larger than steps do, on this machine."""
    rows = np.zeros((_SAMPLE, dimension), np.int8)
    return bool(numkong.dots_pack(rows).nbytes > _MAX_PADDING * _in_parts(rows).nbytes)


def _in_parts(rows: Codes) -> Codes:
    """Returns a copy (n, p, UNROLLED) of (n, d) rows, padded with zeros."""
    count, dimension = rows.shape
    parts = np.zeros((count, _parts(dimension), UNROLLED), np.int8)
    parts.reshape(count, -1)[:, :dimension] = rows
    return parts


def _parts(dimension: int) -> int:
    return -(-dimension // UNROLLED)
