"""The ranking head `encoder`: its registration, and how its result becomes a `Ranking`."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final

import numpy as np
from foldin_model.fold_in.kinds import ENCODER as ENCODER_KIND

from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.ranking_heads.encoder.result import EncoderResult
from foldin_trainer.learning.ranking_heads.encoder.settings import LIMITS, EncoderSettings
from foldin_trainer.learning.ranking_heads.encoder.trainer import train_encoder
from foldin_trainer.learning.ranking_heads.ranking_head import Plans, RankingHead
from foldin_trainer.learning.ranking_heads.trained_head import Ranking, no_weight
from foldin_trainer.learning.registry.search_space import Real, Share, Whole
from foldin_trainer.metrics.cases import make_cases


@dataclass(frozen=True, slots=True)
class EncoderPlan:
    """A linear encoder trained on full softmax for a number of passes."""

    head: ClassVar[str] = "encoder"
    settings: EncoderSettings
    passes: int

    @property
    def name(self) -> str:
        """The name of the head and its number of passes."""
        return f"{self.head}, {self.passes} passes"

    def learn(self, ratings: Ratings, items: ItemTable) -> Ranking:
        """Returns the head of those ratings; contents do not matter."""
        del items
        result = train_encoder(ratings, self.settings, stop_after=self.passes)
        return ranking_by_encoder(result, ratings, self.settings.start_sharpness)


def ranking_by_encoder(result: EncoderResult, ratings: Ratings, sharpness: float) -> Ranking:
    """Returns the head of a linear encoder trained on `ratings`; scores are log probabilities."""
    encoder = result.encoder
    order = np.lexsort((ratings.items, ratings.users))
    users, starts = np.unique(ratings.users[order], return_index=True)
    encoded = np.zeros((len(ratings.user_ids), len(result.prior)))
    for user, history in zip(users.tolist(), np.split(order, starts[1:]), strict=True):
        encoded[user] = encoder.encode(ratings.items[history], ratings.values[history])
    return Ranking(
        vectors=result.items,
        popular=result.prior,
        user_vectors=encoded,
        rule=no_weight(ratings.scale),
        encoder=encoder,
        prior_scales=(0.5, 0.75, 1.0),
        spread=sharpness,
    )


def _plans(plans: Plans) -> Iterator[EncoderPlan]:
    """Yields one plan, with the number of passes that is best on the held-out users."""
    ratings, cases = plans.held_out.ratings, plans.held_out.cases
    given = np.concatenate([case.given_index for case in cases])
    hidden = np.concatenate([case.hidden_index for case in cases])
    watched = make_cases(ratings.take(given), ratings.take(hidden))
    settings = plans.heads.of(EncoderSettings)
    result = train_encoder(plans.held_out.known, settings, watched, progress=plans.look)
    yield EncoderPlan(settings, result.best_epoch)


ENCODER: Final = RankingHead(
    name=EncoderPlan.head,
    summary="a linear encoder trained on full softmax",
    settings=EncoderSettings,
    limits=LIMITS,
    kind=ENCODER_KIND,
    # Not the passes: held-out users decide about them in every training.
    space=MappingProxyType(
        {
            "dimension": Whole(16, 128),
            "start_l2": Real(20.0, 5_000.0),
            "start_sharpness": Real(10.0, 300.0),
            "target_weights.0": Share(0.0, 0.5),
            "target_weights.1": Share(0.1, 1.0),
            "kept.0": Share(0.2, 0.6),
            "kept.1": Share(0.7, 0.95),
            "anchor": Real(1e-5, 1e-1),
            "learning_rate": Real(1e-4, 5e-3),
        }
    ),
    plans=_plans,
)
