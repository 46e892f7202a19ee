"""What a ranking head is once it is trained, by whichever method; how it is served is `heads`."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles, Floats
from foldin_model.fold_in.linear_start import Lead
from foldin_model.fold_in.quadratic_head import QuadraticHead, RatingRule, Scale

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.encoder.result import EncoderResult
from foldin_trainer.learning.ials import IalsResult
from foldin_trainer.learning.prior import average_user
from foldin_trainer.learning.whitening import Whitening

PRIOR_SCALES: Final = (0.05, 0.075, 0.1, 0.15, 0.2, 0.3)


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Item vectors in the basis where the prior precision is the identity, and how users fold.

    `vectors` is (n_items, d) float32; `popular` (d,) ranks like popularity; `user_vectors`
    (n_users, d) are those of the users trained on. A linear encoder has a lead and a rule without
    weight. `prior_scales` are worth trying as the share of `popular` that a newcomer starts with.
    `spread` is how large its scores are beside those of implicit ALS, which are about shares.
    """

    vectors: Floats
    popular: Doubles
    user_vectors: Doubles
    rule: RatingRule
    lead: Lead | None = None
    prior_scales: tuple[float, ...] = PRIOR_SCALES
    spread: float = 1.0

    def head(self, prior_scale: float) -> QuadraticHead:
        """The head; a user without ratings is at `prior_scale` times `popular`."""
        return QuadraticHead(
            vectors=self.vectors,
            offsets=np.zeros(len(self.vectors), np.float32),
            constant=0.0,
            prior=prior_scale * self.popular,
            rule=self.rule,
            lead=self.lead,
        )


def no_weight(scale: Scale) -> RatingRule:
    """The rule of a head that has a lead and nothing to solve."""
    return RatingRule((scale.low, scale.high), weights=(0.0, 0.0), targets=(0.0, 0.0))


def ranking_by_ials(result: IalsResult, ratings: Ratings, rule: RatingRule) -> Ranking:
    """The head of implicit ALS, trained on `ratings` by that rule."""
    whitening = Whitening.of(result.precision())
    return Ranking(
        vectors=whitening.items(result.item_vectors.astype(np.float64)).astype(np.float32),
        popular=whitening.users(average_user(result, ratings)),
        user_vectors=whitening.users(result.user_vectors.astype(np.float64)),
        rule=rule,
    )


def ranking_by_encoder(result: EncoderResult, ratings: Ratings, sharpness: float) -> Ranking:
    """The head of a linear encoder trained on `ratings`; its scores are log probabilities."""
    lead = result.lead
    order = np.lexsort((ratings.items, ratings.users))
    users, starts = np.unique(ratings.users[order], return_index=True)
    led = np.zeros((len(ratings.user_ids), len(result.prior)))
    for user, history in zip(users.tolist(), np.split(order, starts[1:]), strict=True):
        led[user] = lead.of(ratings.items[history], ratings.values[history])
    return Ranking(
        vectors=result.items,
        popular=result.prior,
        user_vectors=led,
        rule=no_weight(ratings.scale),
        lead=lead,
        prior_scales=(0.5, 0.75, 1.0),
        spread=sharpness,
    )
