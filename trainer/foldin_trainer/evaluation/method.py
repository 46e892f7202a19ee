"""What a method under evaluation is: it answers cases with lists and, where it can, ratings."""

from collections.abc import Sequence
from typing import Protocol

from foldin_model.arrays import Doubles, Rows

from foldin_trainer.metrics.cases import Case


class Method(Protocol):
    """One way to recommend, fitted to the training part."""

    @property
    def name(self) -> str:
        """What the tables call it."""
        ...

    def recommend(self, cases: Sequence[Case], count: int) -> Rows:
        """The best `count` items neither given nor masked, (n_cases, count), padded with -1."""
        ...

    def predict(self, cases: Sequence[Case]) -> Doubles | None:
        """Ratings for the hidden rows, case after case; None where the method predicts none."""
        ...
