"""The ranking head `ials`: its registration, and how its training result becomes a `Ranking`."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final

import numpy as np
from foldin_model.arrays import Doubles
from foldin_model.fold_in.head import RatingRule
from foldin_model.fold_in.kinds import QUADRATIC

from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.ranking_heads.ials.dimension_reduction import reduced
from foldin_trainer.learning.ranking_heads.ials.trainer import (
    LIMITS,
    IalsResult,
    IalsSettings,
    train_ials,
)
from foldin_trainer.learning.ranking_heads.ranking_head import Plans, RankingHead
from foldin_trainer.learning.ranking_heads.rating_weights import rule_for
from foldin_trainer.learning.ranking_heads.trained_head import Ranking
from foldin_trainer.learning.registry.search_space import Real, Share, Whole
from foldin_trainer.learning.whitening import Whitening


@dataclass(frozen=True, slots=True)
class IalsPlan:
    """Implicit ALS."""

    head: ClassVar[str] = "ials"
    settings: IalsSettings

    @property
    def name(self) -> str:
        """The name of the head and its number of dimensions."""
        return f"{self.head}, {self.settings.dimension} dimensions"

    def learn(self, ratings: Ratings, items: ItemTable) -> Ranking:
        """Returns the head of those ratings; contents do not matter."""
        del items
        rule = rule_for(ratings.scale)
        result = train_ials(ratings, self.settings, rule)
        return reduced(ranking_by_ials(result, ratings, rule), self.settings.served)


def ranking_by_ials(result: IalsResult, ratings: Ratings, rule: RatingRule) -> Ranking:
    """Returns the head of implicit ALS that was trained on `ratings` by that rule.

    Its vectors are in the basis where the prior precision of users is the identity.
    """
    whitening = Whitening.of(result.precision())
    return Ranking(
        vectors=whitening.items(result.item_vectors.astype(np.float64)).astype(np.float32),
        popular=whitening.users(average_user(result, ratings)),
        user_vectors=whitening.users(result.user_vectors.astype(np.float64)),
        rule=rule,
    )


def average_user(result: IalsResult, ratings: Ratings) -> Doubles:
    """Returns the vector (d,) of a user who rated every item a little: it ranks like popularity.

    Every item has the target 1 and weighs the share of users that rated it.
    """
    items = result.item_vectors.astype(np.float64)
    users = len(np.unique(ratings.users))
    shares = np.bincount(ratings.items, minlength=len(items)) / users
    weighted = items * shares[:, None]
    normal = result.precision() + weighted.T @ items
    return np.asarray(np.linalg.solve(normal, weighted.sum(axis=0)), np.float64)


def _plans(plans: Plans) -> Iterator[IalsPlan]:
    yield IalsPlan(plans.heads.of(IalsSettings))


IALS: Final = RankingHead(
    name=IalsPlan.head,
    summary="implicit ALS",
    settings=IalsSettings,
    limits=LIMITS,
    kind=QUADRATIC,
    space=MappingProxyType(
        {
            "dimension": Whole(16, 512),
            "unobserved_weight": Real(0.05, 5.0),
            "user_l2": Real(0.1, 50.0),
            "item_l2": Real(0.1, 50.0),
            "item_l2_exponent": Share(0.0, 1.0),
        }
    ),
    plans=_plans,
)
