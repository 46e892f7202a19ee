"""Ratings as arrays in file order, with the vocabularies of users and items.

Training, splits and imports share this value; it reads and writes nothing.
"""

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Self

import numpy as np
from foldin_model.arrays import Doubles, Integers, Mask, Rows
from foldin_model.scale import Scale


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """Ratings in file order, each (user, item) pair at most once.

    `user_ids` and `item_ids` are in the order of first appearance; the items of the item table that
    nobody rated come last in `item_ids`. `users` and `items` are (n,) positions in them,
    `values` (n,) ratings within `scale`, `timestamps` (n,) seconds since 1970. The arrays are
    read-only.
    """

    user_ids: tuple[str, ...]
    item_ids: tuple[str, ...]
    users: Rows
    items: Rows
    values: Doubles
    timestamps: Integers | None
    scale: Scale

    def __post_init__(self) -> None:
        _freeze(self, "users", np.int32)
        _freeze(self, "items", np.int32)
        _freeze(self, "values", np.float64)
        if self.timestamps is not None:
            _freeze(self, "timestamps", np.int64)

    def __len__(self) -> int:
        return len(self.values)

    def take(self, index: Integers | Rows | Mask) -> Self:
        """Returns the ratings at `index` (positions or a mask) in that order, same vocabularies."""
        times = None if self.timestamps is None else self.timestamps[index]
        return replace(
            self,
            users=self.users[index],
            items=self.items[index],
            values=self.values[index],
            timestamps=times,
        )

    @property
    def hash(self) -> str:
        """SHA-256 in hex over all fields, equal for equal content. Reads every rating."""
        digest = sha256(b"foldin ratings 1\n")
        for vocabulary in (self.user_ids, self.item_ids):
            encoded = [id_.encode() for id_ in vocabulary]
            lengths = np.array([len(encoded), *map(len, encoded)], "<i8")
            digest.update(lengths.tobytes())
            digest.update(b"".join(encoded))
        scale = np.array([self.scale.low, self.scale.high], "<f8")
        counts = np.array([len(self), self.timestamps is not None], "<i8")
        columns = [counts, scale, self.users.astype("<i4"), self.items.astype("<i4")]
        columns.append(self.values.astype("<f8"))
        if self.timestamps is not None:
            columns.append(self.timestamps.astype("<i8"))
        for column in columns:
            digest.update(column.tobytes())
        return digest.hexdigest()


def _freeze(ratings: Ratings, name: str, dtype: type[np.generic]) -> None:
    array = np.array(getattr(ratings, name), dtype, copy=None)
    view = array.view()
    view.flags.writeable = False
    object.__setattr__(ratings, name, view)
