"""What one protocol gave: every method's scores, and which differences are more than chance."""

from dataclasses import dataclass, field
from typing import Final

from foldin_trainer.evaluation.protocols.trials import MASKING
from foldin_trainer.metrics.comparison import FEWEST_USERS, Comparison, compare
from foldin_trainer.metrics.scores import Scores

TOO_FEW: Final = f"of less than {FEWEST_USERS} users nothing is told from chance"


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What one protocol gave, `count` items a list; `seconds` of wall clock with all training.

    `comparison` is made of the scores where none is given; `masking` says what no list may hold.
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
        """The notes, and whether users are too few for intervals."""
        users = self.comparison.users
        few = f"Only {users} were asked: {TOO_FEW}." if users < FEWEST_USERS else None
        return self.notes if few is None else (*self.notes, few)
