"""Ways to a ranking head: everything that decides, with the ratings, which head comes out.

A plan is tried on part of the users and then carried out on everyone; choosing is `head_choice`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, Protocol

from foldin_model.errors import FoldinError
from foldin_model.trained.manifest import Setting

from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.limits import DIMENSIONS, NOT_NEGATIVE, SEED, Limits, check
from foldin_trainer.learning.ranking_heads.ease.training import EaseSettings, train_ease
from foldin_trainer.learning.ranking_heads.encoder.head import ranking_by_encoder
from foldin_trainer.learning.ranking_heads.encoder.settings import EncoderSettings
from foldin_trainer.learning.ranking_heads.encoder.training import train_encoder
from foldin_trainer.learning.ranking_heads.ensemble import Part, blend
from foldin_trainer.learning.ranking_heads.ials.dimension_reduction import narrowed
from foldin_trainer.learning.ranking_heads.ials.head import ranking_by_ials
from foldin_trainer.learning.ranking_heads.ials.training import IalsSettings, train_ials
from foldin_trainer.learning.ranking_heads.ranking import Ranking
from foldin_trainer.learning.ranking_heads.rating_weights import rule_for

BLENDED: Final[tuple[Literal["ease", "ials", "encoder"], ...]] = ("ease", "ials", "encoder")


class Plan(Protocol):
    """One way to a ranking head."""

    @property
    def name(self) -> str:
        """The head's, and what was chosen of it."""
        ...

    def learn(self, ratings: Ratings, items: ItemTable) -> Ranking:
        """The head of those ratings. The same input gives the same bits on one machine."""
        ...


@dataclass(frozen=True, slots=True)
class IalsPlan:
    """Implicit ALS."""

    settings: IalsSettings

    @property
    def name(self) -> str:
        """The head's, and what was chosen of it."""
        return f"ials, {self.settings.dimension} dimensions"

    def learn(self, ratings: Ratings, items: ItemTable) -> Ranking:
        """The head of those ratings; contents do not matter."""
        del items
        rule = rule_for(ratings.scale)
        return narrowed(
            ranking_by_ials(train_ials(ratings, self.settings, rule), ratings, rule),
            self.settings.served,
        )


@dataclass(frozen=True, slots=True)
class EasePlan:
    """EASE at a low rank."""

    settings: EaseSettings

    @property
    def name(self) -> str:
        """The head's, and what was chosen of it."""
        return f"ease, λ {self.settings.l2:g} × ratings^{self.settings.l2_exponent:g}"

    def learn(self, ratings: Ratings, items: ItemTable) -> Ranking:
        """The head of those ratings and contents."""
        return train_ease(ratings, items, self.settings)


@dataclass(frozen=True, slots=True)
class EncoderPlan:
    """A linear encoder trained on full softmax for a number of passes."""

    settings: EncoderSettings
    passes: int

    @property
    def name(self) -> str:
        """The head's, and what was chosen of it."""
        return f"encoder, {self.passes} passes"

    def learn(self, ratings: Ratings, items: ItemTable) -> Ranking:
        """The head of those ratings; contents do not matter."""
        del items
        result = train_encoder(ratings, self.settings, stop_after=self.passes)
        return ranking_by_encoder(result, ratings, self.settings.start_sharpness)


ENSEMBLE_LIMITS: Final[Limits] = MappingProxyType(
    {
        "dimension": DIMENSIONS,
        "weights": NOT_NEGATIVE,
        "ease_dimension": DIMENSIONS,
        "seed": SEED,
    }
)


@dataclass(frozen=True, slots=True)
class EnsembleSettings:
    """How much each part of a blend weighs, and to how many dimensions it is compressed."""

    dimension: int = 94
    """One of them is popularity alone, for users without ratings."""
    weights: tuple[float, float, float] = (0.5, 0.25, 0.25)
    """Of `ease`, `ials` and `encoder`, whose scores have one spread."""
    ease_dimension: int = 200
    """Of the part: compressed once, in the blend, it keeps what the others lack."""
    seed: int = 0

    def __post_init__(self) -> None:
        check("ensemble", self, ENSEMBLE_LIMITS)
        if not any(self.weights):
            raise FoldinError("ensemble.weights are all 0; one must be above 0")


class Parts:
    """Plans whose heads are blended; each is learned once for the same ratings."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self._plans = plans
        self._ratings: Ratings | None = None
        self._learned: dict[int, Part] = {}

    def learn(self, place: int, ratings: Ratings, items: ItemTable) -> Part:
        """The part at that place of the plans."""
        if self._ratings is not ratings:
            self._ratings, self._learned = ratings, {}
        if place not in self._learned:
            ranking = self._plans[place].learn(ratings, items)
            self._learned[place] = Part.of(ranking, ratings)
        return self._learned[place]


@dataclass(frozen=True, slots=True)
class EnsemblePlan:
    """A weighted blend of heads."""

    settings: EnsembleSettings
    parts: Parts

    @property
    def name(self) -> str:
        """The head's, and what was chosen of it."""
        pairs = zip(BLENDED, self.settings.weights, strict=True)
        return "ensemble, " + " + ".join(f"{weight:g} {part}" for part, weight in pairs if weight)

    def learn(self, ratings: Ratings, items: ItemTable) -> Ranking:
        """The head of those ratings and contents."""
        settings = self.settings
        weighed = [(place, weight) for place, weight in enumerate(settings.weights) if weight]
        parts = [self.parts.learn(place, ratings, items) for place, _ in weighed]
        weights = [weight for _, weight in weighed]
        return blend(parts, weights, ratings, settings.dimension, settings.seed)


def named(part: str, values: Mapping[str, Setting | tuple[Setting, ...]]) -> dict[str, Setting]:
    """The values as "part.name", those of a tuple by their places as well."""
    flat: dict[str, Setting] = {}
    for name, value in values.items():
        if isinstance(value, tuple):
            flat |= {f"{part}.{name}.{place}": one for place, one in enumerate(value)}
        else:
            flat[f"{part}.{name}"] = value
    return flat
