"""Sparse features of users and items, in groups, made without the values of ratings.

`sampler.linear_prior` makes the mean of vectors linear in them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from foldin_model.arrays import Floats, Integers, Rows
from scipy import sparse

from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.ratings import Ratings

Words = Sequence[Sequence[str]]
"""The words of every row: ("Comedy", "Drama"), ("M", "student")."""

Block = tuple[Integers, Integers, Floats, int]
"""A group's entries: rows, columns within the group and values, and how many columns it has."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """A sparse (n_rows, n_columns) float32 matrix whose columns belong to groups.

    `groups` (n_columns,) numbers the group of every column; the columns of a group are equally
    likely to matter, and how likely is learned.
    """

    matrix: sparse.csr_array
    groups: Integers
    names: tuple[str, ...]

    @classmethod
    def gather(cls, rows: int, blocks: Mapping[str, Block]) -> Self:
        """Returns the blocks (rows, columns, values, number of columns) side by side."""
        columns = np.cumsum([0, *(block[3] for block in blocks.values())])
        parts = [
            (of, within + first, values)
            for (of, within, values, _), first in zip(blocks.values(), columns, strict=False)
        ]
        of, within, values = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        matrix = sparse.csr_array((values, (of, within)), shape=(rows, int(columns[-1])))
        groups = np.repeat(np.arange(len(blocks)), np.diff(columns))
        return cls(matrix, groups.astype(np.int64), tuple(blocks))


def user_features(
    ratings: Ratings,
    attributes: Mapping[str, Words] | None = None,
    context: Mapping[str, Block] | None = None,
) -> Features:
    """Returns a constant, what users rated whatever the values (Koren 2008), and further groups.

    `attributes` names groups of words, each aligned to `ratings.user_ids`, `context` groups that
    are features already.
    """
    size = len(ratings.user_ids)
    history = _others(ratings.users, ratings.items, size, len(ratings.item_ids))
    blocks = {"constant": _constant(size), "history": history}
    return Features.gather(size, blocks | dict(context or {}) | _worded(attributes or {}))


def item_features(
    ratings: Ratings,
    items: ItemTable,
    attributes: Mapping[str, Words] | None = None,
    context: Mapping[str, Block] | None = None,
) -> Features:
    """Returns a constant, who rated the items, genres, decades, and further groups.

    `attributes` names groups of words (tags, say), each aligned to `ratings.item_ids`, `context`
    groups that are features already.
    """
    size = len(ratings.item_ids)
    audience = _others(ratings.items, ratings.users, size, len(ratings.user_ids))
    blocks = {"constant": _constant(size), "audience": audience}
    content = {"genres": items.genres, "decade": decades(items)}
    worded = _worded(content | dict(attributes or {}))
    return Features.gather(size, blocks | worded | dict(context or {}))


def decades(items: ItemTable) -> list[tuple[str, ...]]:
    """Returns the decade of every item as a word, and no word if its year is unknown."""
    return [() if year is None else (str(year // 10),) for year in items.years]


def _constant(size: int) -> Block:
    return np.arange(size), np.zeros(size, np.int64), np.ones(size, np.float32), 1


def _others(rows: Rows, columns: Rows, size: int, width: int) -> Block:
    """Returns ones over the root of their number in the row, so that all rows have length 1."""
    counts = np.bincount(rows, minlength=size)
    values = (1.0 / np.sqrt(counts[rows])).astype(np.float32)
    return rows.astype(np.int64), columns.astype(np.int64), values, width


def _worded(attributes: Mapping[str, Words]) -> dict[str, Block]:
    blocks = {name: of_words(words) for name, words in attributes.items()}
    return {name: block for name, block in blocks.items() if block[3]}


def of_words(words: Words) -> Block:
    """Returns a column of ones for every word, in alphabetical order."""
    known = {word: column for column, word in enumerate(sorted({w for row in words for w in row}))}
    rows = np.repeat(np.arange(len(words)), [len(row) for row in words]).astype(np.int64)
    columns = np.array([known[word] for row in words for word in row], np.int64)
    return rows, columns, np.ones(len(rows), np.float32), len(known)
