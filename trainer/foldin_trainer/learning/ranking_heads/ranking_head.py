"""`RankingHead`, the registration of a head that orders lists, and the plans that are tried.

A plan is everything that decides, with the ratings, which head is learned. Plans are compared on
held-out users by `head_choice`; the best one then learns from everyone.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.data.splits import HeldOutCase
from foldin_trainer.learning.ranking_heads.trained_head import Ranking
from foldin_trainer.learning.registry.head_settings import HeadSettings
from foldin_trainer.learning.registry.registration import Registration

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, slots=True)
class Look:
    """Mean NDCG@10 of held-out users during training: for all hidden items and for liked ones."""

    epoch: int
    ndcg: float
    ndcg_liked: float

    @property
    def quality(self) -> float:
        """The mean of both figures."""
        return (self.ndcg + self.ndcg_liked) / 2


class RankingPlan(Protocol):
    """One way to learn a ranking head."""

    @property
    def head(self) -> str:
        """The name of the head."""
        ...

    @property
    def settings(self) -> "DataclassInstance":
        """The settings of the head, with what this plan chooses."""
        ...

    @property
    def name(self) -> str:
        """The name of the head and what this plan chooses, for people."""
        ...

    def learn(self, ratings: Ratings, items: ItemTable) -> Ranking:
        """Returns the head of those ratings. Equal input gives equal bits on one machine."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutUsers:
    """The `cases` of users held out of `ratings`, and the `known` ratings that are left."""

    known: Ratings
    items: ItemTable
    ratings: Ratings
    cases: Sequence[HeldOutCase]


class Plans:
    """The plans of heads for some held-out users; those of a head are made once.

    `look` is called with every look at held-out users while a plan is made by training.
    """

    def __init__(
        self, held_out: HeldOutUsers, heads: HeadSettings, look: Callable[[Look], None]
    ) -> None:
        self.held_out, self.heads, self.look = held_out, heads, look
        self._made: dict[str, Sequence[RankingPlan]] = {}

    def of(self, head: "RankingHead") -> Sequence[RankingPlan]:
        """Returns the plans of that head, which may take a training."""
        if head.name not in self._made:
            self._made[head.name] = tuple(head.plans(self))
        return self._made[head.name]


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingHead(Registration):
    """A head that orders lists."""

    plans: Callable[[Plans], Iterable[RankingPlan]]
    """Returns the plans to try, of which there is at least one."""
    parts: tuple[str, ...] = ()
    """Other ranking heads that it is made of: it depends on their settings too."""
    auto: bool = True
    """Whether `auto` tries it."""
    most_items: float = math.inf
    """`auto` does not try it with more items than this."""
