"""The users of the training data as a version stores them, and their bytes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from itertools import pairwise
from typing import Final

import numpy as np

from foldin_model.arrays import Doubles, Floats, Integers, Rows
from foldin_model.errors import ArtifactCorrupt
from foldin_model.ids import UserId

TRAINED_FORMAT: Final = 1
_NUMBERS: Final = np.dtype("<f8")
_ROWS: Final = np.dtype("<i4")
_ONE: Final = np.zeros(1, np.int64)
TrainedRecords = np.ndarray[tuple[int], np.dtype[np.void]]
"""(m,) trained users as read from a store: `digest`, and the vectors `ranking_vector`,
`ranking_base`, `rating_vector` and `rating_base`, (d,) float32 each (see `TrainedUsers`)."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainedUsers:
    """All users of a training run, as the trainer hands them to the publisher.

    Arrays are (n_users, d) float32, one row a user: `*_vectors` are the trained z_u, `*_bases` the
    o_u over which folding the training history returns them. `digests` (n_users,) uint64 identify
    those histories (`digest`).
    """

    user_ids: tuple[UserId, ...]
    ranking_vectors: Floats
    ranking_bases: Floats
    rating_vectors: Floats
    rating_bases: Floats
    digests: "np.ndarray[tuple[int], np.dtype[np.uint64]]"
    rating_counts: Integers


def digest(rows: Rows, values: Doubles) -> int:
    """Returns a 64-bit digest of a history, (n,) rows and values; their order does not matter."""
    order = np.argsort(rows, kind="stable")
    (name,) = digests(rows[order], values[order], np.append(_ONE, len(rows)))
    return name


def digests(rows: Rows, values: Doubles, starts: Integers) -> list[int]:
    """Returns the `digest` of each of m histories: the i-th is from `starts[i]` to `starts[i + 1]`.

    `rows` and `values` are (n,); in each history rows increase.
    """
    packed_rows = np.ascontiguousarray(rows, _ROWS).data.cast("B")
    packed_values = np.ascontiguousarray(values, _NUMBERS).data.cast("B")
    named = []
    for start, end in pairwise(starts.tolist()):
        name = blake2b(packed_rows[_ROWS.itemsize * start : _ROWS.itemsize * end], digest_size=8)
        name.update(packed_values[_NUMBERS.itemsize * start : _NUMBERS.itemsize * end])
        named.append(int.from_bytes(name.digest(), "little"))
    return named


def pack_trained(users: TrainedUsers) -> Iterator[tuple[UserId, bytes]]:
    """Yields each user with their stored bytes: format, digest, then little-endian float32."""
    kind = _trained_record(users.ranking_vectors.shape[1], users.rating_vectors.shape[1])
    records = np.zeros(len(users.user_ids), kind)
    records["format"] = TRAINED_FORMAT
    records["digest"] = users.digests
    records["ranking_vector"] = users.ranking_vectors
    records["ranking_base"] = users.ranking_bases
    records["rating_vector"] = users.rating_vectors
    records["rating_base"] = users.rating_bases
    for user_id, record in zip(users.user_ids, records, strict=True):
        yield user_id, record.tobytes()


def unpack_trained(
    packed: Sequence[bytes], ranking_dimension: int, rating_dimension: int
) -> TrainedRecords:
    """Returns the users of these bytes. Raises ArtifactCorrupt where some have another shape."""
    kind = _trained_record(ranking_dimension, rating_dimension)
    sizes = set(map(len, packed))
    if not sizes <= {kind.itemsize}:
        raise ArtifactCorrupt(
            f"a trained user has {sorted(sizes)} bytes; dimensions {ranking_dimension} and "
            f"{rating_dimension} take {kind.itemsize}"
        )
    records = np.frombuffer(b"".join(packed), kind)
    if np.count_nonzero(records["format"] != TRAINED_FORMAT):
        found = sorted(set(records["format"].tolist()))
        raise ArtifactCorrupt(
            f"a trained user has format {found}; this program reads {TRAINED_FORMAT}"
        )
    return records


@cache
def _trained_record(ranking_dimension: int, rating_dimension: int) -> np.dtype[np.void]:
    return np.dtype(
        [
            ("format", "u1"),
            ("digest", "<u8"),
            ("ranking_vector", "<f4", (ranking_dimension,)),
            ("ranking_base", "<f4", (ranking_dimension,)),
            ("rating_vector", "<f4", (rating_dimension,)),
            ("rating_base", "<f4", (rating_dimension,)),
        ]
    )
