"""Stored ratings: one record, a user's history, and their bytes.

A packed record is 42 bytes, little-endian: format, flags, value, event time, request id, revision.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, compress, pairwise
from typing import Final, Self, cast

import numpy as np

from foldin_model.arrays import Doubles, Integers
from foldin_model.errors import ArtifactCorrupt
from foldin_model.ids import ItemId
from foldin_model.texts.text_array import Texts

FORMAT: Final = 1
DELETED: Final = 0b0000_0001
NO_REQUEST: Final = bytes(16)
RECORD: Final = np.dtype(
    [
        ("format", "u1"),
        ("flags", "u1"),
        ("value", "<f8"),
        ("event_time_us", "<i8"),
        ("request_id", "V16"),
        ("revision", "<i8"),
    ]
)


@dataclass(frozen=True, slots=True)
class RatingRecord:
    """The stored record of one user's rating of one item.

    `request_id` is zero where none was sent.
    """

    value: float
    event_time_us: int
    revision: int
    request_id: bytes = NO_REQUEST
    deleted: bool = False

    def pack(self) -> bytes:
        """Returns the 42 bytes that the store keeps."""
        record = np.zeros((), RECORD)
        record["format"] = FORMAT
        record["flags"] = DELETED if self.deleted else 0
        record["value"] = self.value
        record["event_time_us"] = self.event_time_us
        record["request_id"] = np.void(self.request_id)
        record["revision"] = self.revision
        return record.tobytes()

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Reads the bytes of `pack`. Raises ArtifactCorrupt for another length or format."""
        record = _records([packed])[0]
        return cls(
            value=float(record["value"]),
            event_time_us=int(record["event_time_us"]),
            revision=int(record["revision"]),
            request_id=bytes(record["request_id"]),
            deleted=bool(record["flags"] & DELETED),
        )


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """All live ratings of a user, one an item; `items` are the ids, arrays are (n,)."""

    items: Texts
    values: Doubles
    event_times_us: Integers
    revisions: Integers

    def __len__(self) -> int:
        return len(self.values)

    @property
    def item_ids(self) -> tuple[ItemId, ...]:
        """The rated items."""
        return cast("tuple[ItemId, ...]", tuple(self.items))

    @classmethod
    def of(
        cls,
        item_ids: Iterable[ItemId],
        values: Doubles,
        event_times_us: Integers,
        revisions: Integers,
    ) -> Self:
        """Returns the history of these items."""
        return cls(Texts.of(item_ids), values, event_times_us, revisions)

    @classmethod
    def empty(cls) -> Self:
        """Returns a history without ratings."""
        none = np.zeros(0, np.int64)
        return cls.of((), np.zeros(0), none, none)

    @classmethod
    def unpack(cls, stored: Sequence[bytes]) -> Self:
        """Returns the live ratings among the stored fields of one user. Raises ArtifactCorrupt.

        Fields alternate: an item's id, then its record.
        """
        (history,) = cls.unpack_each([stored])
        return history

    @classmethod
    def unpack_each(cls, stored: Sequence[Sequence[bytes]]) -> list[Self]:
        """Unpacks m users at once. Raises ArtifactCorrupt where any field of any user is damaged.

        The arrays of the histories are views of shared ones.
        """
        fields = [*chain.from_iterable(stored)]
        item_ids, records = fields[::2], _records(fields[1::2])
        ends = [0, *accumulate(len(own) // 2 for own in stored)]
        deleted = records["flags"] & DELETED
        if np.count_nonzero(deleted):
            live = deleted == 0
            records, item_ids = records[live], [*compress(item_ids, live.tolist())]
            ends = np.append(0, live.cumsum())[ends].tolist()
        items, values = Texts.packed_from(item_ids), records["value"].astype(np.float64)
        times_us, revisions = (
            records[name].astype(np.int64) for name in ("event_time_us", "revision")
        )
        return [
            cls(
                Texts(items.packed, items.offsets[start : end + 1]),
                values[start:end],
                times_us[start:end],
                revisions[start:end],
            )
            for start, end in pairwise(ends)
        ]


def _records(packed: list[bytes]) -> "np.ndarray[tuple[int], np.dtype[np.void]]":
    sizes = set(map(len, packed))
    if not sizes <= {RECORD.itemsize}:
        raise ArtifactCorrupt(f"a stored rating has {sorted(sizes)} bytes, not {RECORD.itemsize}")
    records = np.frombuffer(b"".join(packed), RECORD)
    if np.count_nonzero(records["format"] != FORMAT):
        found = sorted(set(records["format"].tolist()))
        raise ArtifactCorrupt(f"stored ratings have format {found}; this program reads {FORMAT}")
    return records
