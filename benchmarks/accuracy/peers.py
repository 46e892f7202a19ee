"""The libraries that predict ratings best, set up as their documentation or papers advise.

They learn from the same folds as foldin; nothing of the test part is seen.
"""

import random
from collections.abc import Callable, Mapping
from types import MappingProxyType

import myfm
import numpy as np
import pandas as pd
import surprise
from foldin_model.arrays import Doubles
from foldin_trainer.data import Dataset, Ratings
from foldin_trainer.learning.rating_heads.bayes.side_information.features import Features
from foldin_trainer.learning.rating_heads.bayes.trainer import side_information
from myfm.gibbs import MyFMGibbsRegressor
from scipy import sparse

Predict = Callable[[Dataset, Ratings, Ratings], Doubles]

RANK = 16
ITERATIONS = 400
KEPT = 340


def surprise_svd(dataset: Dataset, train: Ratings, test: Ratings) -> Doubles:
    """Surprise's SVD with its defaults."""
    del dataset
    return _surprise(surprise.SVD(random_state=0), train, test)


def surprise_svdpp(dataset: Dataset, train: Ratings, test: Ratings) -> Doubles:
    """Surprise's SVD++ with its defaults."""
    del dataset
    return _surprise(surprise.SVDpp(random_state=0, cache_ratings=True), train, test)


def myfm_with_sides(dataset: Dataset, train: Ratings, test: Ratings) -> Doubles:
    """The library myFM with histories, audiences and contents as relational blocks."""
    of_users, of_items = sides(dataset, train)
    shapes = [*group_shapes(of_users), *group_shapes(of_items)]
    model = MyFMGibbsRegressor(rank=RANK, random_seed=0)
    model.fit(
        _nothing(train),
        train.values,
        X_rel=blocks(of_users, of_items, train),
        group_shapes=shapes,
        n_iter=ITERATIONS,
        n_kept_samples=KEPT,
    )
    found = model.predict(_nothing(test), blocks(of_users, of_items, test))
    predicted = np.asarray(found, np.float64)
    return np.clip(predicted, train.scale.low, train.scale.high)


PEERS: Mapping[str, Predict] = MappingProxyType(
    {
        "Surprise SVD": surprise_svd,
        "Surprise SVD++": surprise_svdpp,
        "myFM, histories and content": myfm_with_sides,
    }
)


def sides(dataset: Dataset, train: Ratings) -> tuple[Features, Features]:
    """Returns the features of users and items that `bayes` has."""
    return side_information(train, dataset.items, dataset.users)


def blocks(of_users: Features, of_items: Features, pairs: Ratings) -> list[myfm.RelationBlock]:
    """Returns the pairs as references to rows of one-hot ids and features."""
    return [
        myfm.RelationBlock(pairs.users.tolist(), _with_ids(of_users)),
        myfm.RelationBlock(pairs.items.tolist(), _with_ids(of_items)),
    ]


def group_shapes(features: Features) -> list[int]:
    """Returns the number of columns of each group, ids first."""
    return [features.matrix.shape[0], *np.bincount(features.groups).tolist()]


def _nothing(pairs: Ratings) -> sparse.csr_matrix:
    """Returns empty features: a pair has only those of its user and item."""
    return sparse.csr_matrix((len(pairs), 0), dtype=np.float64)


def _with_ids(features: Features) -> sparse.csr_matrix:
    ids = sparse.eye_array(features.matrix.shape[0], format="csr")
    return sparse.csr_matrix(sparse.hstack([ids, features.matrix]), dtype=np.float64)


def _surprise(algorithm: surprise.AlgoBase, train: Ratings, test: Ratings) -> Doubles:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 (the library draws from the global one)
    frame = pd.DataFrame({"user": train.users, "item": train.items, "rating": train.values})  # noqa: PD011
    reader = surprise.Reader(rating_scale=(train.scale.low, train.scale.high))
    algorithm.fit(surprise.Dataset.load_from_df(frame, reader).build_full_trainset())
    pairs = zip(test.users.tolist(), test.items.tolist(), strict=True)
    return np.array([algorithm.predict(user, item).est for user, item in pairs])
