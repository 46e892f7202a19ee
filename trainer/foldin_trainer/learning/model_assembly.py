"""Puts trained heads, catalog, clusters and similar items together as one `Model`.

It also folds training histories into users' vectors; it trains and chooses nothing.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles, Floats, Integers
from foldin_model.fold_in.fold_in import fold, trained_base
from foldin_model.fold_in.head import Head
from foldin_model.ids import ItemId, UserId
from foldin_model.index.bounds import kind_for, long_rows_first
from foldin_model.trained.catalog import Catalog
from foldin_model.trained.model import Model
from foldin_model.trained.trained_users import TrainedUsers, digest
from foldin_model.trained.uncertainty import Uncertainty

from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.fold_in.calibration import uncertainty_of
from foldin_trainer.learning.fold_in.served_rating_head import (
    Constants,
    Learned,
    rating_head,
    user_prior,
)
from foldin_trainer.learning.fold_in.user_prior import UserPrior
from foldin_trainer.learning.items.clusters import cluster_items
from foldin_trainer.learning.items.content_map import with_content
from foldin_trainer.learning.items.similarity import similarity_rows

_TYPICAL_USERS: Final = 200


def assemble(
    learned: Learned,
    items: ItemTable,
    constants: Constants,
    *,
    seed: int,
    prior: UserPrior | None = None,
    rating_from_content: bool = True,
) -> Model:
    """Returns the served model; its items are those of the ratings' vocabulary, in order.

    Where the index searches rows by their lengths, rows that can score highest come first. An item
    without ratings gets vectors by its content; those of the rating head only with
    `rating_from_content`, for a head that does not know contents itself. `prior` is the result of
    `served_rating_head.user_prior` if the caller has it already.
    """
    ratings = learned.ratings
    ranking = learned.ranking.head(constants.prior_scale)
    prior = prior or user_prior(learned.rating_factors, ratings, constants.history_ridge)
    rating = rating_head(learned.rating_factors, ratings.scale, prior, constants.noise_variance)
    counts = np.bincount(ratings.items, minlength=len(ratings.item_ids)).astype(np.int64)
    similarity = similarity_rows(learned.ranking, counts)
    rows = np.hstack((ranking.vectors, rating.offsets[:, None], rating.vectors))
    model = Model(
        catalog=_catalog(ratings, items, counts, similarity, seed),
        items=np.ascontiguousarray(rows, np.float32),
        similarity=similarity,
        scale=ratings.scale,
        rating_mean=learned.rating_factors.mean,
        rating_weight=constants.rating_weight,
        ranking_prior=ranking.prior,
        rating_prior=rating.prior,
        ranking_rule=ranking.rule,
        ranking_encoder=ranking.encoder,
        rating_encoder=rating.encoder,
        uncertainty=_uncertainty(learned, rating, constants),
    )
    model = with_content(model, items, rating=rating_from_content, seed=seed)
    if kind_for(len(model.catalog)) == "flat":
        return model
    typical = _typical_query(model, ratings)
    return model.reordered(long_rows_first(model.items, len(model.ranking_prior), typical))


def _uncertainty(learned: Learned, rating: Head, constants: Constants) -> Uncertainty | None:
    """Returns the uncertainty of a head that samples, and None for another.

    Training errors say too little: measured, intervals made from those of `mf` cover 85% of known
    users' ratings instead of 90%.
    """
    spread = learned.rating_factors.spread
    if spread is None:
        return None
    noise, factor = constants.noise_variance, constants.noise_factor
    uncertainty = uncertainty_of(rating, learned.ratings, noise, spread, factor)
    return replace(uncertainty, trained_noise=constants.trained_noise)


def trained_users(
    model: Model, ratings: Ratings, rating_vectors: Doubles | None = None
) -> TrainedUsers:
    """Returns all users of `ratings` with their whole histories folded in.

    Their bases are that of a new user. Measured, folded histories predict held-out ratings at least
    as well as the vectors that Adam found, and a deleted rating has no effect left. Vectors that
    know more than histories come as `rating_vectors` (n of the vocabulary, d): they are kept, with
    bases from which folding the histories returns these vectors.
    """
    items = model.catalog.rows(ratings.item_ids)[ratings.items]
    order = np.lexsort((items, ratings.users))
    users, starts = np.unique(ratings.users[order], return_index=True)
    histories = np.split(order, starts[1:])
    ranking = np.zeros((len(users), len(model.ranking_prior)), np.float32)
    rating = np.zeros((len(users), len(model.rating_prior)), np.float32)
    rating_bases = _repeated(model.rating, len(users))
    digests = np.zeros(len(users), np.uint64)
    for place, history in enumerate(histories):
        rows, values = items[history], ratings.values[history]
        ranking[place] = fold(model.ranking, rows, values, model.ranking_prior).vector
        if rating_vectors is None:
            rating[place] = fold(model.rating, rows, values, model.rating_prior).vector
        else:
            rating[place] = rating_vectors[users[place]]
            rating_bases[place] = trained_base(
                model.rating, rows, values, rating[place].astype(np.float64)
            )
        digests[place] = digest(rows, values)
    return TrainedUsers(
        user_ids=tuple(UserId(ratings.user_ids[user]) for user in users.tolist()),
        ranking_vectors=ranking,
        ranking_bases=_repeated(model.ranking, len(users)),
        rating_vectors=rating,
        rating_bases=rating_bases,
        digests=digests,
        rating_counts=np.array([len(history) for history in histories], np.int64),
    )


def _typical_query(model: Model, ratings: Ratings) -> Doubles:
    """Returns a query whose numbers are root mean squares over a sample of users."""
    known = np.unique(ratings.users)
    some = np.random.default_rng(0).permutation(known)[:_TYPICAL_USERS]
    folded = trained_users(model, ratings.take(np.flatnonzero(np.isin(ratings.users, some))))
    pairs = zip(folded.ranking_vectors, folded.rating_vectors, strict=True)
    queries = [model.query(ranking, rating) for ranking, rating in pairs]
    return np.asarray(np.sqrt(np.mean(np.square(queries), axis=0)), np.float64)


def _catalog(
    ratings: Ratings, items: ItemTable, counts: Integers, similarity: Floats, seed: int
) -> Catalog:
    clustering = cluster_items(similarity, counts, items, seed=seed)
    return Catalog(
        item_ids=tuple(map(ItemId, ratings.item_ids)),
        titles=items.titles,
        genres=items.genres,
        years=items.years,
        rating_counts=counts,
        rating_means=_means(ratings, counts),
        cluster_ids=clustering.ids,
        clusters=clustering.clusters,
    )


def _means(ratings: Ratings, counts: Integers) -> Floats:
    sums = np.bincount(ratings.items, ratings.values, minlength=len(counts))
    means = np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0)
    return np.asarray(means, np.float32)


def _repeated(head: Head, users: int) -> Floats:
    return np.tile(head.prior.astype(np.float32), (users, 1))
