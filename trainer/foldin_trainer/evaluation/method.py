"""The protocol of a method under evaluation: it makes lists and, if it can, predicts ratings."""

from collections.abc import Sequence
from typing import Protocol

from foldin_model.arrays import Doubles, Rows

from foldin_trainer.metrics.cases import Case


class Method(Protocol):
    """A way to recommend, fitted to the training part."""

    @property
    def name(self) -> str:
        """The name in tables."""
        ...

    def recommend(self, cases: Sequence[Case], count: int) -> Rows:
        """Returns the best `count` items neither given nor masked, (n_cases, count), or -1."""
        ...

    def predict(self, cases: Sequence[Case]) -> Doubles | None:
        """Returns ratings for the hidden rows, case after case; None if it predicts none."""
        ...
