"""What is kept of a user besides her ratings: the trained record and the folded one.

Both are disposable: they belong to one model version and can be computed from ratings and model.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple, Self

import numpy as np

from foldin_model.arrays import Doubles, Rows
from foldin_model.errors import ArtifactCorrupt
from foldin_model.ids import UserId
from foldin_model.model import TrainedUsers

TRAINED_FORMAT: Final = 1
FOLDED_FORMAT: Final = 1
_TRAINED: Final = struct.Struct("<BQ")  # format, digest of the history
_STAMP: Final = struct.Struct("<BqH")  # format, revision, bytes of the version that follows
_NUMBERS: Final = np.dtype("<f8")
_ROWS: Final = np.dtype("<i4")
_COUNTS: Final = struct.Struct("<BII")  # personalization, rating count, rows seen


class Personalization(IntEnum):
    """How an answer was made; the numbers are those of the RPC contract."""

    TRAINED = 1
    FOLDED_IN = 2
    CONTENT = 3
    POPULAR = 4


_PERSONALIZATIONS: Final = {kind.value: kind for kind in Personalization}


def digest(rows: Rows, values: Doubles) -> int:
    """A 64-bit name of a history, (n,) rows and values, the same in whatever order they come."""
    order = np.argsort(rows, kind="stable")
    return digest_in_order(rows[order], values[order])


def digest_in_order(rows: Rows, values: Doubles) -> int:
    """`digest` of a history whose rows increase."""
    name = blake2b(np.ascontiguousarray(rows, _ROWS).data, digest_size=8)
    name.update(np.ascontiguousarray(values, _NUMBERS).data)
    return int.from_bytes(name.digest(), "little")


class TrainedUser(NamedTuple):
    """The published vectors of one user (see `foldin_model.model.TrainedUsers`), (d,) each."""

    ranking_vector: Doubles
    ranking_base: Doubles
    rating_vector: Doubles
    rating_base: Doubles
    digest: int

    def pack(self) -> bytes:
        """The bytes kept under `u`: a format byte, the digest, then little-endian float32."""
        record = np.zeros((), _trained_record(len(self.ranking_vector), len(self.rating_vector)))
        record["format"] = TRAINED_FORMAT
        record["digest"] = self.digest
        record["ranking_vector"] = self.ranking_vector
        record["ranking_base"] = self.ranking_base
        record["rating_vector"] = self.rating_vector
        record["rating_base"] = self.rating_base
        return record.tobytes()

    @classmethod
    def unpack(cls, packed: bytes, ranking_dimension: int, rating_dimension: int) -> Self:
        """Raises ArtifactCorrupt where the bytes do not have that shape."""
        size = _TRAINED.size + 8 * (ranking_dimension + rating_dimension)
        if len(packed) != size:
            raise ArtifactCorrupt(
                f"a trained user has {len(packed)} bytes; dimensions {ranking_dimension} and "
                f"{rating_dimension} take {size}"
            )
        kind, history = _TRAINED.unpack_from(packed)
        if kind != TRAINED_FORMAT:
            raise ArtifactCorrupt(
                f"a trained user has format {kind}; this program reads {TRAINED_FORMAT}"
            )
        numbers = np.frombuffer(packed, "<f4", offset=_TRAINED.size).astype(np.float64)
        ranking, rating = 2 * ranking_dimension, 2 * ranking_dimension + rating_dimension
        return cls(
            numbers[:ranking_dimension],
            numbers[ranking_dimension:ranking],
            numbers[ranking:rating],
            numbers[rating:],
            history,
        )


def pack_trained(users: TrainedUsers) -> Iterator[tuple[UserId, bytes]]:
    """Every trained user with the bytes of her `TrainedUser.pack`, in order."""
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


class FoldedUser(NamedTuple):
    """A user's state under one model version, as of one revision.

    `seen` (n,) int32 are the rows of the rated items that the model has, in increasing order;
    `rating_count` counts those it lacks too. `ranking_vector` and `rating_vector` are (d,). A state
    is `lasting` if it holds for the version whatever is laid over it; others are not kept.
    """

    version: str
    revision: int
    rating_count: int
    personalization: Personalization
    ranking_vector: Doubles
    rating_vector: Doubles
    seen: Rows
    lasting: bool = True

    def pack(self) -> bytes:
        """The bytes kept under `f`: the stamp, counts, both vectors as float64, the rows seen.

        The vectors keep all their digits, so that an answer does not depend on where it was folded.
        """
        return b"".join(
            (
                folded_stamp(self.version, self.revision),
                _COUNTS.pack(self.personalization, self.rating_count, len(self.seen)),
                self.ranking_vector.astype("<f8").tobytes(),
                self.rating_vector.astype("<f8").tobytes(),
                self.seen.astype("<i4").tobytes(),
            )
        )

    @classmethod
    def unpack(cls, packed: bytes, ranking_dimension: int, rating_dimension: int) -> Self:
        """The user, her arrays views of the bytes. Raises ArtifactCorrupt where they do not fit."""
        try:
            header = _folded_header(_STAMP.unpack_from(packed)[2])
            kind, revision, _, version, personalization, rating_count, seen_count = (
                header.unpack_from(packed)
            )
            dimensions = ranking_dimension + rating_dimension
            seen_start = header.size + 8 * dimensions
            if kind != FOLDED_FORMAT or len(packed) != seen_start + 4 * seen_count:
                raise ArtifactCorrupt(
                    f"a folded user of format {kind} has {len(packed)} bytes; format "
                    f"{FOLDED_FORMAT} with {seen_count} rows has {seen_start + 4 * seen_count}"
                )
            vectors = np.frombuffer(packed, _NUMBERS, dimensions, header.size)
            return cls(
                version.decode(),
                revision,
                rating_count,
                _PERSONALIZATIONS[personalization],
                vectors[:ranking_dimension],
                vectors[ranking_dimension:],
                np.frombuffer(packed, _ROWS, seen_count, seen_start),
            )
        except (struct.error, KeyError, ValueError) as error:
            raise ArtifactCorrupt(f"a folded user of {len(packed)} bytes: {error}") from error


def folded_stamp(version: str, revision: int) -> bytes:
    """What packed FoldedUsers of that version and revision, and only they, begin with."""
    name = version.encode()
    return _STAMP.pack(FOLDED_FORMAT, revision, len(name)) + name


@lru_cache(maxsize=8)
def _folded_header(name_bytes: int) -> struct.Struct:
    """The stamp with a version's name of so many bytes, and the counts behind it."""
    return struct.Struct(f"{_STAMP.format}{name_bytes}s{_COUNTS.format.removeprefix('<')}")


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
