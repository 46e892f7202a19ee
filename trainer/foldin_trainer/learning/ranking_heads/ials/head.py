"""The ranking head of implicit ALS: its vectors in the basis of the users' prior precision."""

import numpy as np
from foldin_model.arrays import Doubles
from foldin_model.fold_in.head import RatingRule

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.ranking_heads.ials.training import IalsResult
from foldin_trainer.learning.ranking_heads.ranking import Ranking
from foldin_trainer.learning.whitening import Whitening


def ranking_by_ials(result: IalsResult, ratings: Ratings, rule: RatingRule) -> Ranking:
    """The head of implicit ALS, trained on `ratings` by that rule."""
    whitening = Whitening.of(result.precision())
    return Ranking(
        vectors=whitening.items(result.item_vectors.astype(np.float64)).astype(np.float32),
        popular=whitening.users(average_user(result, ratings)),
        user_vectors=whitening.users(result.user_vectors.astype(np.float64)),
        rule=rule,
    )


def average_user(result: IalsResult, ratings: Ratings) -> Doubles:
    """The ranking vector (d,) of one who rated every item a little: it ranks like popularity.

    Every item counts with the share of users that rated it and asks for the target 1.
    """
    items = result.item_vectors.astype(np.float64)
    users = len(np.unique(ratings.users))
    shares = np.bincount(ratings.items, minlength=len(items)) / users
    weighted = items * shares[:, None]
    normal = result.precision() + weighted.T @ items
    return np.asarray(np.linalg.solve(normal, weighted.sum(axis=0)), np.float64)
