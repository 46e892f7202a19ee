"""The ranking head `ease`: its registration and the regularizations that are tried."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, Final

from foldin_model.fold_in.kinds import ENCODER

from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.ranking_heads.ease.trainer import (
    LIMITS,
    MOST_ITEMS,
    EaseSettings,
    train_ease,
)
from foldin_trainer.learning.ranking_heads.ranking_head import Plans, RankingHead
from foldin_trainer.learning.ranking_heads.trained_head import Ranking
from foldin_trainer.learning.registry.search_space import Real, Share, Whole

L2_FACTORS: Final = (1.0, 2.0)
"""λ is tried as these multiples of the one in the settings."""
L2_EXPONENTS: Final = (0.0, -0.2)


@dataclass(frozen=True, slots=True)
class EasePlan:
    """EASE at a low rank."""

    head: ClassVar[str] = "ease"
    settings: EaseSettings

    @property
    def name(self) -> str:
        """The name of the head and its regularization."""
        return f"{self.head}, λ {self.settings.l2:g} × ratings^{self.settings.l2_exponent:g}"

    def learn(self, ratings: Ratings, items: ItemTable) -> Ranking:
        """Returns the head of those ratings and contents."""
        return train_ease(ratings, items, self.settings)


def _plans(plans: Plans) -> Iterator[EasePlan]:
    ease = plans.heads.of(EaseSettings)
    for factor in L2_FACTORS:
        for exponent in L2_EXPONENTS:
            yield EasePlan(replace(ease, l2=factor * ease.l2, l2_exponent=exponent))


EASE: Final = RankingHead(
    name=EasePlan.head,
    summary="item-to-item weights at a low rank",
    settings=EaseSettings,
    limits=LIMITS,
    kind=ENCODER,
    space=MappingProxyType(
        {
            "dimension": Whole(16, 128),
            "l2": Real(5.0, 5_000.0),
            "relief": Share(0.0, 1.0),
            "content_weight": Real(0.1, 5.0),
        }
    ),
    plans=_plans,
    most_items=MOST_ITEMS,
)
