"""Folds the histories of many users at once, each to the last bit as it is folded alone.

What is done number by number is done for all of them; sums and solves stay each user's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np

from foldin_model.arrays import Doubles, Rows
from foldin_model.folding import few_for, fold_exact, normal_equations
from foldin_model.heads import QuadraticHead


@dataclass(frozen=True, slots=True, eq=False)
class Histories:
    """(m,) histories one after the other: all `rows` (n,) int32 and `values` (n,) float64.

    The i-th is from `starts[i]` to `starts[i + 1]`; its rows increase.
    """

    rows: Rows
    values: Doubles
    starts: Sequence[int]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, place: int) -> tuple[Rows, Doubles]:
        own = slice(self.starts[place], self.starts[place + 1])
        return self.rows[own], self.values[own]

    def only(self, places: Sequence[int]) -> Self:
        """The histories at these places."""
        if len(places) == len(self):
            return self
        own = [self[place] for place in places]
        ends = np.cumsum([len(rows) for rows, _ in own]).tolist()
        rows = np.concatenate([rows for rows, _ in own])
        return type(self)(rows, np.concatenate([values for _, values in own]), (0, *ends))


def fold_together(head: QuadraticHead, histories: Histories, bases: Doubles) -> Doubles:
    """(m, d) vectors: that of `foldin_model.folding.fold`, exact, for each history over its base.

    `bases` is (m, d).
    """
    vectors = bases.copy()
    spans = list(pairwise(histories.starts))
    if head.lead is not None:
        shares = head.lead.shares_together(histories.values, histories.starts)
        led = head.lead.vectors[histories.rows].astype(np.float64)
        for place, (start, end) in enumerate(spans):
            vectors[place] += shares[start:end] @ led[start:end]
    return _solved(head, histories, vectors, spans) if head.quadratic else vectors


def _solved(
    head: QuadraticHead, histories: Histories, bases: Doubles, spans: Sequence[tuple[int, int]]
) -> Doubles:
    """Those of d × d equations are solved by one call; the smaller ones each by itself."""
    vectors = head.vectors[histories.rows].astype(np.float64)
    weights = head.weights(histories.rows, histories.values)
    targets = head.targets(histories.rows, histories.values)
    solved = bases.copy()
    places: list[int] = []
    equations: list[tuple[Doubles, Doubles]] = []
    for place, (start, end) in enumerate(spans):
        own = vectors[start:end], weights[start:end], targets[start:end], bases[place]
        if few_for(end - start, bases.shape[1]):
            solved[place] = fold_exact(*own).vector
        else:
            places.append(place)
            equations.append(normal_equations(*own))
    if places:
        normal = np.array([matrix for matrix, _ in equations])
        right = np.array([vector for _, vector in equations])
        solved[places] = np.linalg.solve(normal, right[:, :, None])[:, :, 0]
    return solved
