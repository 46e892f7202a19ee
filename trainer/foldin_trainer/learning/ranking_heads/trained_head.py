"""`Ranking`: a trained ranking head, whatever it learned by."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles, Floats
from foldin_model.fold_in.head import Head, RatingRule
from foldin_model.fold_in.linear_encoder import LinearEncoder
from foldin_model.scale import Scale

PRIOR_SCALES: Final = (0.05, 0.075, 0.1, 0.15, 0.2, 0.3)


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Item vectors in the basis where the prior precision is the identity, and how users fold.

    `vectors` is (n_items, d) float32; `popular` (d,) ranks like popularity; `user_vectors`
    (n_users, d) are those of the users trained on. With an encoder the rule may have no weight:
    nothing is solved. `prior_scales` are worth trying as the share of `popular` that a user without
    ratings starts with. `spread` is how large its scores are, relative to those of implicit ALS.
    """

    vectors: Floats
    popular: Doubles
    user_vectors: Doubles
    rule: RatingRule
    encoder: LinearEncoder | None = None
    prior_scales: tuple[float, ...] = PRIOR_SCALES
    spread: float = 1.0

    def head(self, prior_scale: float) -> Head:
        """Returns the served head; users without ratings are at `prior_scale` times `popular`."""
        return Head(
            vectors=self.vectors,
            offsets=np.zeros(len(self.vectors), np.float32),
            constant=0.0,
            prior=prior_scale * self.popular,
            rule=self.rule,
            encoder=self.encoder,
        )


def no_weight(scale: Scale) -> RatingRule:
    """Returns the rule of a head that has an encoder and nothing to solve."""
    return RatingRule((scale.low, scale.high), weights=(0.0, 0.0), targets=(0.0, 0.0))
