"""Rows in whole numbers, laid out for their products with queries."""

from typing import Final, Protocol

import numkong
import numpy as np
from numpy.typing import NDArray

from foldin_model import scan_kernels
from foldin_model.scan_kernels import UNROLLED

WholeNumbers = NDArray[np.int32]
MOST_PADDING: Final = 1.25
_SAMPLE: Final = 64


class WholeRows(Protocol):
    """(n, d) int8 at rest. They are a copy."""

    @property
    def memory_bytes(self) -> int:
        """What they take, and nothing of it is shared between processes."""
        ...

    def products(self, queries: "NDArray[np.int8]") -> WholeNumbers:
        """(m, n): each of (m, d) queries times each row."""
        ...


class PackedRows:
    """As numkong wants them: quicker while they stay in the processor's caches."""

    def __init__(self, rows: "NDArray[np.int8]") -> None:
        self._packed = numkong.dots_pack(rows)

    @property
    def memory_bytes(self) -> int:
        """What they take: without AMX some twice as much as the numbers."""
        return int(self._packed.nbytes)

    def products(self, queries: "NDArray[np.int8]") -> WholeNumbers:
        """(m, n): each of (m, d) queries times each row."""
        return np.asarray(numkong.dots_packed(queries, self._packed))


class PlainRows:
    """One byte a number: less to read from memory. Zeros fill up the last of each row's parts."""

    def __init__(self, rows: "NDArray[np.int8]") -> None:
        self._rows = _in_parts(rows)

    @property
    def memory_bytes(self) -> int:
        """What they take."""
        return self._rows.nbytes

    def products(self, queries: "NDArray[np.int8]") -> WholeNumbers:
        """(m, n): each of (m, d) queries times each row."""
        return scan_kernels.products(_in_parts(queries), self._rows)


def small_rows(rows: "NDArray[np.int8]") -> WholeRows:
    """For rows that are read from memory: packed only where that takes hardly more of it."""
    some = rows[:_SAMPLE]
    if PackedRows(some).memory_bytes <= MOST_PADDING * PlainRows(some).memory_bytes:
        return PackedRows(rows)
    return PlainRows(rows)


def _in_parts(rows: "NDArray[np.int8]") -> "NDArray[np.int8]":
    """(n, p, UNROLLED): a copy of (n, d) with zeros behind it."""
    dimension = rows.shape[1]
    parts = np.zeros((len(rows), -(-dimension // UNROLLED), UNROLLED), np.int8)
    parts.reshape(len(rows), -1)[:, :dimension] = rows
    return parts
