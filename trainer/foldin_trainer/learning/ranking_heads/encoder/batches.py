"""Batches of users whose histories are split: one part is given, the other is to be predicted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from foldin_model.arrays import Doubles, Integers
from scipy.sparse import csr_array

from foldin_trainer.data.ratings import Ratings


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Users numbered from 0, in no particular order.

    `given` and `wanted` are positions of ratings, `given_users` and `wanted_users` their users;
    both are in the order of the users.
    """

    users: int
    given: Integers
    given_users: Integers
    wanted: Integers
    wanted_users: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Histories:
    """Ratings user after user: user u has starts[u]:starts[u + 1] of `items` and `values`."""

    starts: Integers
    items: Integers
    values: Doubles
    n_items: int

    @classmethod
    def of(cls, ratings: Ratings) -> Self:
        """Returns the histories of the users with ratings, in the order of their rows."""
        order = np.lexsort((ratings.items, ratings.users))
        _, sizes = np.unique(ratings.users, return_counts=True)
        return cls(
            np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
            ratings.items[order].astype(np.int64),
            ratings.values[order],
            len(ratings.item_ids),
        )

    @property
    def interactions(self) -> csr_array:
        """Which items each user rated: 0 and 1, (n_users, n_items) float64."""
        shape = (len(self.starts) - 1, self.n_items)
        return csr_array((np.ones(len(self.items)), self.items, self.starts), shape=shape)

    def batches(
        self, rng: np.random.Generator, size: int, kept: tuple[float, float]
    ) -> Iterator[Batch]:
        """Yields every user once in random order; a random share within `kept` is given of each."""
        order = rng.permutation(len(self.starts) - 1)
        for at in range(0, len(order), size):
            users = order[at : at + size]
            sizes = self.starts[users + 1] - self.starts[users]
            ends = np.cumsum(sizes)
            positions = np.arange(ends[-1]) + np.repeat(self.starts[users] - ends + sizes, sizes)
            owners = np.repeat(np.arange(len(users)), sizes)
            shares = rng.uniform(*kept, len(users))
            given = rng.random(len(positions)) < shares[owners]
            yield Batch(
                len(users), positions[given], owners[given], positions[~given], owners[~given]
            )
