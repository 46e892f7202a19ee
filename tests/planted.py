"""A small model with planted tastes for genres, made without training."""

from dataclasses import dataclass, replace

import numpy as np
from foldin_model.arrays import Doubles, Floats, Integers, Rows
from foldin_model.fold_in.fold_in import fold, trained_base
from foldin_model.fold_in.head import RatingRule
from foldin_model.fold_in.linear_encoder import EncoderRule, LinearEncoder
from foldin_model.ids import ItemId, UserId
from foldin_model.scale import Scale
from foldin_model.trained.catalog import Catalog, Cluster
from foldin_model.trained.content_map import ContentMap
from foldin_model.trained.model import Model
from foldin_model.trained.trained_users import TrainedUsers, digest
from foldin_model.trained.uncertainty import Uncertainty
from numpy.typing import ArrayLike

SCALE = Scale(0.5, 5.0)
RULE = RatingRule(knots=(0.5, 2.5, 5.0), weights=(2.0, 1.0, 2.0), targets=(-0.5, 0.5, 1.0))
ENCODER_RULE = EncoderRule(knots=(0.5, 2.5, 5.0), factors=(-0.5, 0.25, 1.0))
GENRES = ("Comedy", "Drama", "Horror", "Western")


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """A model, its trained users and the histories they were trained on, rows increasing."""

    model: Model
    users: TrainedUsers
    histories: dict[UserId, tuple[Rows, Doubles]]


def planted(
    *, users: int = 40, items: int = 120, dimension: int = 8, seed: int = 0, whole: bool = False
) -> Planted:
    """Returns a model whose items alternate between the genres.

    Users are "1", "2", ...; items "101", "102", ... A `whole` model has all optional parts.
    """
    rng = np.random.default_rng(seed)
    groups = (np.arange(items) % len(GENRES)).astype(np.int32)
    centers = rng.normal(size=(len(GENRES), dimension))
    ranking = centers[groups] + 0.4 * rng.normal(size=(items, dimension))
    rating = 0.3 * (centers[groups] + 0.4 * rng.normal(size=(items, dimension)))
    offsets = 0.3 * rng.normal(size=(items, 1))
    popularity = rng.zipf(1.6, size=items).clip(1, 500)
    similarity = ranking / np.linalg.norm(ranking, axis=1, keepdims=True)
    model = Model(
        catalog=_catalog(groups, popularity.astype(np.int64), rng),
        items=np.ascontiguousarray(np.hstack((ranking, offsets, rating)), np.float32),
        similarity=np.ascontiguousarray(similarity, np.float32),
        scale=SCALE,
        rating_mean=3.5,
        rating_weight=0.4,
        ranking_prior=0.1 * ranking.mean(axis=0),
        rating_prior=np.zeros(dimension),
        ranking_rule=RULE,
    )
    if whole:
        model = _with_optional_parts(model)
    histories = {
        UserId(str(user)): _history(rng, groups, user % len(GENRES)) for user in range(1, users + 1)
    }
    return Planted(model, _trained(model, histories), histories)


def _with_optional_parts(model: Model) -> Model:
    rng = np.random.default_rng(2)
    n, d = model.ranking.vectors.shape
    model = replace(
        model,
        ranking_encoder=LinearEncoder(_floats(0.3 * rng.normal(size=(n, d))), ENCODER_RULE, 0.25),
        rating_encoder=LinearEncoder(
            _floats(0.3 * rng.normal(size=(n, d))), EncoderRule((3.0,), (1.0,)), 0.5
        ),
        uncertainty=Uncertainty(
            item_noise=_floats(rng.uniform(0.1, 0.2, n)),
            item_variances=_floats(rng.uniform(0.0, 0.1, n)),
            vector_variance=0.15,
            degrees=6.0,
            trained_noise=1.5,
        ),
    )
    width = sum(model.item_widths)
    content = ContentMap(
        names=("genre=comedy", "genre=drama"),
        weights=_floats(rng.normal(size=(2, width))),
        embedding_weights=_floats(rng.normal(size=(3, width))),
        intercept=_floats(rng.normal(size=width)),
    )
    return replace(model, content=content)


def _floats(values: ArrayLike) -> Floats:
    return np.ascontiguousarray(values, np.float32)


def _catalog(groups: Rows, counts: Integers, rng: np.random.Generator) -> Catalog:
    clusters = tuple(
        Cluster(id=i + 1, name=f"{genre} films", genres=(genre,), size=int((groups == i).sum()))
        for i, genre in enumerate(GENRES)
    )
    return Catalog(
        item_ids=tuple(ItemId(str(101 + row)) for row in range(len(groups))),
        titles=tuple(f"{GENRES[g]} Story {row}" for row, g in enumerate(groups)),
        genres=tuple(
            (GENRES[g], "Long") if row % 5 == 0 else (GENRES[g],) for row, g in enumerate(groups)
        ),
        years=tuple(None if row % 17 == 3 else 1950 + row % 70 for row in range(len(groups))),
        rating_counts=counts,
        rating_means=rng.uniform(1.0, 5.0, len(groups)).astype(np.float32),
        cluster_ids=(groups + 1).astype(np.int32),
        clusters=clusters,
    )


def _history(rng: np.random.Generator, groups: Rows, liked: int) -> tuple[Rows, Doubles]:
    size = int(rng.integers(3, 30))
    rows = np.sort(rng.choice(len(groups), size, replace=False)).astype(np.int32)
    values = np.where(groups[rows] == liked, 4.5, 2.0) + 0.5 * rng.integers(-1, 2, size)
    return rows, values.astype(np.float64)


def _trained(model: Model, histories: dict[UserId, tuple[Rows, Doubles]]) -> TrainedUsers:
    rng = np.random.default_rng(1)
    vectors: dict[str, list[Doubles]] = {"ranking": [], "rating": []}
    bases: dict[str, list[Doubles]] = {"ranking": [], "rating": []}
    for rows, values in histories.values():
        for name, head in (("ranking", model.ranking), ("rating", model.rating)):
            folded = fold(head, rows, values, head.prior).vector
            vector = folded + 0.05 * rng.normal(size=folded.shape)
            vectors[name].append(vector)
            bases[name].append(trained_base(head, rows, values, vector))
    return TrainedUsers(
        user_ids=tuple(histories),
        ranking_vectors=np.array(vectors["ranking"], np.float32),
        ranking_bases=np.array(bases["ranking"], np.float32),
        rating_vectors=np.array(vectors["rating"], np.float32),
        rating_bases=np.array(bases["rating"], np.float32),
        digests=np.array([digest(*history) for history in histories.values()], np.uint64),
        rating_counts=np.array([len(rows) for rows, _ in histories.values()], np.int64),
    )
