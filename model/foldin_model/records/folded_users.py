"""Users folded under one model version, and their stored bytes.

The bytes are disposable: they can be computed again from ratings and model.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from foldin_model.arrays import Doubles, Integers, Mask, Rows
from foldin_model.errors import ArtifactCorrupt
from foldin_model.records.personalization import Personalization, is_known
from foldin_model.row_lists import RowLists, starts_of

FOLDED_FORMAT: Final = 1
_STAMP: Final = struct.Struct("<BqH")  # format, revision, bytes of the version that follows
_AFTER_REVISION: Final = struct.calcsize("<Bq")  # where the stamp continues behind the revision
_ROW_BYTES: Final = 4
_NAMES: Final = {kind.value: kind for kind in Personalization}
Kinds = NDArray[np.uint8]


class FoldedUser(NamedTuple):
    """A user folded under one model version at one revision: what an answer is made with.

    `seen` (n,) int32 are the rows of the rated items that the model has, in increasing order;
    `rating_count` counts ratings of other items too. `ranking_vector` and `rating_vector` are (d,).
    The user is `lasting` if no overlay over the version can change them; only those are kept.
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
        """Returns the bytes of this user, as in `FoldedUsers.packed`."""
        alone = FoldedUsers.of(
            self.version,
            np.array([self.revision]),
            np.array([self.rating_count]),
            np.array([self.personalization], np.uint8),
            vectors=(self.ranking_vector[None, :], self.rating_vector[None, :]),
            seen=RowLists.of([self.seen]),
            lasting=np.array([self.lasting]),
        )
        return alone.packed[0]


class PackedUser(NamedTuple):
    """A folded user as bytes, with the version and revision for which the bytes are valid.

    It is for places that keep folded users without reading them: the store and caches. `packed` is
    an entry of `FoldedUsers.packed`.
    """

    version: str
    revision: int
    packed: bytes

    @property
    def is_known(self) -> bool:
        """Whether the user has a live rating or a trained vector."""
        record = np.frombuffer(self.packed, _record(len(self.version.encode()), 0, 0), 1)[0]
        return is_known(_NAMES[int(record["personalization"])], int(record["rating_count"]))


@dataclass(frozen=True, slots=True, eq=False)
class FoldedUsers:
    """m folded users at once, a column for each field of `FoldedUser`.

    It is for batches. `revisions` and `rating_counts` are (m,) int64, `personalizations` (m,)
    uint8, the vectors (m, d) float64. `packed` has the stored bytes of each user: the stamp,
    counts, both vectors and the rows seen. The vectors are stored as float64, so that no answer
    depends on which process folded the user.
    """

    version: str
    revisions: Integers
    rating_counts: Integers
    personalizations: Kinds
    ranking_vectors: Doubles
    rating_vectors: Doubles
    seen: RowLists
    lasting: Mask
    packed: Sequence[bytes]

    @classmethod
    def of(
        cls,
        version: str,
        revisions: Integers,
        rating_counts: Integers,
        personalizations: Kinds,
        *,
        vectors: tuple[Doubles, Doubles],
        seen: RowLists,
        lasting: Mask,
    ) -> Self:
        """Returns the users of these columns, packed. `vectors` are ranking and rating vectors."""
        name = version.encode()
        ranking, rating = vectors
        kind = _record(len(name), ranking.shape[1], rating.shape[1])
        records = np.empty(len(revisions), kind)
        records["format"], records["name_bytes"] = FOLDED_FORMAT, len(name)
        records["name"] = np.frombuffer(name, np.uint8)
        records["revision"], records["rating_count"] = revisions, rating_counts
        records["personalization"], records["seen_count"] = personalizations, seen.sizes
        records["ranking_vector"], records["rating_vector"] = vectors
        heads, tails = records.tobytes(), seen.rows.astype("<i4").tobytes()
        size, ends = kind.itemsize, (_ROW_BYTES * seen.starts).tolist()
        packed = [
            heads[place * size : (place + 1) * size] + tails[start:end]
            for place, (start, end) in enumerate(pairwise(ends))
        ]
        return cls(
            version,
            revisions,
            rating_counts,
            personalizations,
            ranking,
            rating,
            seen,
            lasting,
            packed,
        )

    @classmethod
    def unpack(cls, packed: Sequence[bytes], ranking_dimension: int, rating_dimension: int) -> Self:
        """Returns the users of these bytes, of one user at least.

        Raises ArtifactCorrupt where some do not fit the dimensions or the version of the first.
        """
        version = _version_in(packed[0])
        name = version.encode()
        kind = _record(len(name), ranking_dimension, rating_dimension)
        size = kind.itemsize
        heads = b"".join([one[:size] for one in packed])
        tails = b"".join([one[size:] for one in packed])
        whole = len(heads) == size * len(packed) and len(tails) % _ROW_BYTES == 0
        records = np.frombuffer(heads, kind) if whole else np.empty(0, kind)
        counts = records["seen_count"].astype(np.int64)
        if not (whole and _fits(packed, version, records["personalization"], size, counts)):
            raise ArtifactCorrupt(
                f"a folded user, of {sorted(set(map(len, packed)))} bytes, is not of format "
                f"{FOLDED_FORMAT}, version {version!r} and dimensions "
                f"{ranking_dimension} and {rating_dimension}"
            )
        return cls(
            version,
            records["revision"].astype(np.int64),
            records["rating_count"].astype(np.int64),
            records["personalization"].copy(),
            records["ranking_vector"].astype(np.float64),
            records["rating_vector"].astype(np.float64),
            RowLists(np.frombuffer(tails, "<i4"), starts_of(counts)),
            np.ones(len(packed), np.bool_),
            packed,
        )

    @classmethod
    def joined(cls, parts: Sequence["FoldedUsers"]) -> "FoldedUsers":
        """Returns the users of all parts, in order. All parts are of one version."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            parts[0].version,
            np.concatenate([part.revisions for part in parts]),
            np.concatenate([part.rating_counts for part in parts]),
            np.concatenate([part.personalizations for part in parts]),
            np.concatenate([part.ranking_vectors for part in parts]),
            np.concatenate([part.rating_vectors for part in parts]),
            RowLists.joined([part.seen for part in parts]),
            np.concatenate([part.lasting for part in parts]),
            [one for part in parts for one in part.packed],
        )

    def __len__(self) -> int:
        return len(self.revisions)

    @property
    def kinds(self) -> list[Personalization]:
        """The personalizations of the m users as an enumeration."""
        return [_NAMES[kind] for kind in self.personalizations.tolist()]

    def user(self, place: int) -> FoldedUser:
        """Returns the user at a place; the arrays are views."""
        return FoldedUser(
            self.version,
            int(self.revisions[place]),
            int(self.rating_counts[place]),
            _NAMES[int(self.personalizations[place])],
            self.ranking_vectors[place],
            self.rating_vectors[place],
            self.seen[place],
            bool(self.lasting[place]),
        )


def folded_stamp(version: str, revision: int) -> bytes:
    """Returns the stamp that packed users of this version and revision alone begin with."""
    name = version.encode()
    return _STAMP.pack(FOLDED_FORMAT, revision, len(name)) + name


def _version_in(packed: bytes) -> str:
    try:
        _, _, size = _STAMP.unpack_from(packed)
        return packed[_STAMP.size : _STAMP.size + size].decode()
    except (struct.error, UnicodeDecodeError) as error:
        raise ArtifactCorrupt(f"a folded user of {len(packed)} bytes: {error}") from error


def _fits(
    packed: Sequence[bytes], version: str, kinds: Kinds, head_bytes: int, seen_counts: Integers
) -> bool:
    stamp = folded_stamp(version, 0)
    names = b"".join([one[:1] + one[_AFTER_REVISION : len(stamp)] for one in packed])
    sizes = (head_bytes + _ROW_BYTES * seen_counts).tolist()
    return (
        names == (stamp[:1] + stamp[_AFTER_REVISION:]) * len(packed)
        and set(kinds.tolist()) <= _NAMES.keys()
        and [*map(len, packed)] == sizes
    )


@lru_cache(maxsize=8)
def _record(name_bytes: int, ranking_dimension: int, rating_dimension: int) -> np.dtype[np.void]:
    """Returns the dtype of a packed user without the rows seen."""
    return np.dtype(
        [
            ("format", "u1"),
            ("revision", "<i8"),
            ("name_bytes", "<u2"),
            ("name", "u1", (name_bytes,)),
            ("personalization", "u1"),
            ("rating_count", "<u4"),
            ("seen_count", "<u4"),
            ("ranking_vector", "<f8", (ranking_dimension,)),
            ("rating_vector", "<f8", (rating_dimension,)),
        ]
    )
