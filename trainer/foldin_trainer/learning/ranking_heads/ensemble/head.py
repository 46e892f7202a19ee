"""The ranking head `ensemble`: its settings, the blends that are tried, and its registration."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, Final

from foldin_model.errors import FoldinError
from foldin_model.fold_in.kinds import ENCODER as ENCODER_KIND

from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.ranking_heads.ease.head import (
    EASE,
    L2_EXPONENTS,
    L2_FACTORS,
    EasePlan,
)
from foldin_trainer.learning.ranking_heads.ease.trainer import MOST_ITEMS, EaseSettings
from foldin_trainer.learning.ranking_heads.encoder.head import ENCODER
from foldin_trainer.learning.ranking_heads.ensemble.blend import Part, blend
from foldin_trainer.learning.ranking_heads.ials.head import IALS
from foldin_trainer.learning.ranking_heads.ranking_head import Plans, RankingHead, RankingPlan
from foldin_trainer.learning.ranking_heads.trained_head import Ranking
from foldin_trainer.learning.registry.limits import DIMENSIONS, NOT_NEGATIVE, SEED, Limits, check

PARTS: Final = (EASE.name, IALS.name, ENCODER.name)
"""The heads that are blended, in the order of the weights."""
BLENDS: Final = (
    *((0.5, 0.25, 0.25), (0.5, 0.0, 0.5), (0.5, 0.5, 0.0), (0.25, 0.25, 0.5), (0.75, 0.0, 0.25)),
    *((0.75, 0.25, 0.0), (0.25, 0.0, 0.75)),
)
"""The weights that are tried."""
LIMITS: Final[Limits] = MappingProxyType(
    {
        "dimension": DIMENSIONS,
        "weights": NOT_NEGATIVE,
        "ease_dimension": DIMENSIONS,
        "seed": SEED,
    }
)


@dataclass(frozen=True, slots=True)
class EnsembleSettings:
    """How much each part of a blend weighs, and to how many dimensions the blend is compressed."""

    dimension: int = 94
    """One of them is popularity alone, for users without ratings."""
    weights: tuple[float, float, float] = (0.5, 0.25, 0.25)
    """Of `ease`, `ials` and `encoder`, whose scores are brought to one spread."""
    ease_dimension: int = 200
    """Of the part `ease`. It is compressed again in the blend and keeps what the others lack."""
    seed: int = 0

    def __post_init__(self) -> None:
        check("ensemble", self, LIMITS)
        if not any(self.weights):
            raise FoldinError("ensemble.weights are all 0; one must be above 0")


class Parts:
    """The plans whose heads are blended. Each learns once from the same ratings."""

    def __init__(self, plans: Sequence[RankingPlan]) -> None:
        self._plans = plans
        self._ratings: Ratings | None = None
        self._learned: dict[int, Part] = {}

    def learn(self, place: int, ratings: Ratings, items: ItemTable) -> Part:
        """Returns the part at that place of the plans."""
        if self._ratings is not ratings:
            self._ratings, self._learned = ratings, {}
        if place not in self._learned:
            ranking = self._plans[place].learn(ratings, items)
            self._learned[place] = Part.of(ranking, ratings)
        return self._learned[place]


@dataclass(frozen=True, slots=True)
class EnsemblePlan:
    """A weighted blend of heads."""

    head: ClassVar[str] = "ensemble"
    settings: EnsembleSettings
    parts: Parts

    @property
    def name(self) -> str:
        """The name of the head and the weights of its parts."""
        pairs = zip(PARTS, self.settings.weights, strict=True)
        shown = " + ".join(f"{weight:g} {part}" for part, weight in pairs if weight)
        return f"{self.head}, {shown}"

    def learn(self, ratings: Ratings, items: ItemTable) -> Ranking:
        """Returns the head of those ratings and contents."""
        settings = self.settings
        weighted = [(place, weight) for place, weight in enumerate(settings.weights) if weight]
        parts = [self.parts.learn(place, ratings, items) for place, _ in weighted]
        weights = [weight for _, weight in weighted]
        return blend(parts, weights, ratings, settings.dimension, settings.seed)


def _plans(plans: Plans) -> Iterator[EnsemblePlan]:
    settings = plans.heads.of(EnsembleSettings)
    ease = plans.heads.of(EaseSettings)
    ease = replace(
        ease,
        dimension=settings.ease_dimension,
        l2=L2_FACTORS[-1] * ease.l2,
        l2_exponent=L2_EXPONENTS[-1],
    )
    parts = Parts((EasePlan(ease), *plans.of(IALS), *plans.of(ENCODER)))
    for weights in BLENDS:
        yield EnsemblePlan(replace(settings, weights=weights), parts)


ENSEMBLE: Final = RankingHead(
    name=EnsemblePlan.head,
    summary="a blend of the others",
    settings=EnsembleSettings,
    limits=LIMITS,
    kind=ENCODER_KIND,
    plans=_plans,
    parts=PARTS,
    most_items=MOST_ITEMS,
)
