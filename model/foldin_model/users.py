"""What is kept of a user besides her ratings: the trained record and the folded one.

Both are disposable: they belong to one model version and can be computed from ratings and model.
"""

from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from typing import Self

import numpy as np

from foldin_model.arrays import Doubles, Rows


class Personalization(IntEnum):
    """How an answer was made; the numbers are those of the RPC contract."""

    TRAINED = 1
    FOLDED_IN = 2
    CONTENT = 3
    POPULAR = 4


def digest(rows: Rows, values: Doubles) -> int:
    """A 64-bit name of a history, (n,) rows and values, the same in whatever order they come."""
    order = np.argsort(rows, kind="stable")
    name = blake2b(rows[order].astype("<i4").tobytes(), digest_size=8)
    name.update(values[order].astype("<f8").tobytes())
    return int.from_bytes(name.digest(), "little")


@dataclass(frozen=True, slots=True, eq=False)
class TrainedUser:
    """The published vectors of one user (see `foldin_model.model.TrainedUsers`), (d,) each."""

    ranking_vector: Doubles
    ranking_base: Doubles
    rating_vector: Doubles
    rating_base: Doubles
    digest: int

    def pack(self) -> bytes:
        """The bytes kept under `u`: a format byte, the digest, then little-endian float32."""
        raise NotImplementedError

    @classmethod
    def unpack(cls, packed: bytes, ranking_dimension: int, rating_dimension: int) -> Self:
        """Raises ArtifactCorrupt where the bytes do not have that shape."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, eq=False)
class FoldedUser:
    """A user's state under one model version, as of one revision.

    `seen` (n,) int32 are the rows of the rated items that the model has, in increasing order;
    `rating_count` counts those it lacks too. `ranking_vector` and `rating_vector` are (d,).
    """

    version: str
    revision: int
    rating_count: int
    personalization: Personalization
    ranking_vector: Doubles
    rating_vector: Doubles
    seen: Rows

    def pack(self) -> bytes:
        """The bytes kept under `f`."""
        raise NotImplementedError

    @classmethod
    def unpack(cls, packed: bytes, ranking_dimension: int, rating_dimension: int) -> Self:
        """Raises ArtifactCorrupt where the bytes do not have that shape."""
        raise NotImplementedError
