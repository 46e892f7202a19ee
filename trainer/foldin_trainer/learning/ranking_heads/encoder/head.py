"""The ranking head of a linear encoder: its vectors and the encoder by which ratings move users."""

import numpy as np

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.ranking_heads.encoder.result import EncoderResult
from foldin_trainer.learning.ranking_heads.ranking import Ranking, no_weight


def ranking_by_encoder(result: EncoderResult, ratings: Ratings, sharpness: float) -> Ranking:
    """The head of a linear encoder trained on `ratings`; its scores are log probabilities."""
    encoder = result.encoder
    order = np.lexsort((ratings.items, ratings.users))
    users, starts = np.unique(ratings.users[order], return_index=True)
    led = np.zeros((len(ratings.user_ids), len(result.prior)))
    for user, history in zip(users.tolist(), np.split(order, starts[1:]), strict=True):
        led[user] = encoder.encode(ratings.items[history], ratings.values[history])
    return Ranking(
        vectors=result.items,
        popular=result.prior,
        user_vectors=led,
        rule=no_weight(ratings.scale),
        encoder=encoder,
        prior_scales=(0.5, 0.75, 1.0),
        spread=sharpness,
    )
