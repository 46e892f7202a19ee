"""The outcome of one protocol: every method's scores and the comparison of the methods."""

from dataclasses import dataclass, field
from typing import Final

from foldin_trainer.evaluation.protocols.trials import MASKING
from foldin_trainer.metrics.comparison import FEWEST_USERS, Comparison, compare
from foldin_trainer.metrics.scores import Scores

TOO_FEW: Final = f"with fewer than {FEWEST_USERS} users no difference can be told from chance"


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The scores of one protocol, with `count` items a list, and their comparison.

    `seconds` are wall clock time with all training; `masking` says which items no list may hold.
    """

    protocol: str
    count: int
    seconds: float
    scores: tuple[Scores, ...]
    seed: int = 0
    masking: str = MASKING
    notes: tuple[str, ...] = ()
    comparison: Comparison = field(init=False)

    def __post_init__(self) -> None:
        found = compare(self.scores, self.count, seed=self.seed)
        object.__setattr__(self, "comparison", found)

    @property
    def remarks(self) -> tuple[str, ...]:
        """The notes, with one more if there are too few users for intervals."""
        users = self.comparison.users
        few = f"Only {users} users were asked: {TOO_FEW}." if users < FEWEST_USERS else None
        return self.notes if few is None else (*self.notes, few)
