"""A model to serve, users with histories of realistic lengths, and a store filled with both.

Users are made, not trained. Each has a vector folded from all but the last of their ratings, so
that an answer without a folded state needs a fold-in of the whole history.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles, Floats, Rows
from foldin_model.fold_in.fold_in import fold, trained_base
from foldin_model.fold_in.head import RatingRule
from foldin_model.fold_in.linear_encoder import EncoderRule, LinearEncoder
from foldin_model.ids import ItemId, UserId, Version
from foldin_model.lifecycle.installation import load
from foldin_model.lifecycle.publisher import Description, activate, publish
from foldin_model.scale import Scale
from foldin_model.store.keys import Keys
from foldin_model.store.opening import open_store
from foldin_model.store.protocols import ImportedRating
from foldin_model.trained.catalog import Catalog, Cluster
from foldin_model.trained.model import Model
from foldin_model.trained.trained_users import TrainedUsers, digest
from redis import Redis

NAMESPACE: Final = "bench"
RANKING: Final = 94
RATING: Final = 33
MEDIAN_RATINGS: Final = 40
PAST_US: Final = 1_500_000_000_000_000
TOGETHER: Final = 500
GENRES: Final = ("Action", "Comedy", "Crime", "Drama", "Fantasy", "Horror", "Romance", "Western")
RULE: Final = RatingRule((0.5, 5.0), weights=(0.0, 0.0), targets=(0.0, 0.0))
LEAD: Final = EncoderRule((0.5, 2.75, 5.0), factors=(0.3, 0.9, 1.1))


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """A model with its users; each history is item rows in increasing order, and values."""

    name: str
    model: Model
    trained: TrainedUsers
    histories: tuple[tuple[Rows, Doubles], ...]

    @property
    def users(self) -> tuple[UserId, ...]:
        return self.trained.user_ids

    @property
    def queries(self) -> Floats:
        """Retrieval queries, (n_users, dimension), for servers that fold nothing."""
        pairs = zip(self.trained.ranking_vectors, self.trained.rating_vectors, strict=True)
        return np.array([self.model.query(x, z) for x, z in pairs], np.float32)


def synthetic_model(items: int, seed: int = 0) -> Model:
    """Returns a made model with the shipped heads, 94 + 1 + 33 dimensions, log-normal norms."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, len(GENRES), items).astype(np.int32)
    centers = rng.normal(size=(len(GENRES), RANKING))
    directions = centers[groups] + rng.normal(size=(items, RANKING))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    ranking = directions * 0.3 * rng.lognormal(0.0, 0.5, size=(items, 1))
    inputs = 0.3 * (directions + 0.3 * rng.normal(size=(items, RANKING)) / np.sqrt(RANKING))
    rating = 0.05 * rng.normal(size=(items, RATING))
    offsets = 0.3 * rng.normal(size=(items, 1))
    clusters = tuple(
        Cluster(id=i + 1, name=f"{genre} films", genres=(genre,), size=int((groups == i).sum()))
        for i, genre in enumerate(GENRES)
    )
    catalog = Catalog(
        item_ids=tuple(ItemId(str(row + 1)) for row in range(items)),
        titles=tuple(f"{GENRES[group]} Story {row} (2001)" for row, group in enumerate(groups)),
        genres=tuple(
            (GENRES[group], "Long") if group % 2 else (GENRES[group],) for group in groups
        ),
        years=tuple(1950 + row % 70 for row in range(items)),
        rating_counts=(20_000 / np.arange(1, items + 1) ** 0.8).astype(np.int64),
        rating_means=rng.uniform(1.0, 5.0, items).astype(np.float32),
        cluster_ids=(groups + 1).astype(np.int32),
        clusters=clusters,
    )
    return Model(
        catalog=catalog,
        items=np.ascontiguousarray(np.hstack((ranking, offsets, rating)), np.float32),
        similarity=np.ascontiguousarray(directions, np.float32),
        scale=Scale(0.5, 5.0),
        rating_mean=3.5,
        rating_weight=0.4,
        ranking_prior=0.1 * ranking.mean(axis=0),
        rating_prior=np.zeros(RATING),
        ranking_rule=RULE,
        ranking_encoder=LinearEncoder(np.ascontiguousarray(inputs, np.float32), LEAD, 0.0),
    )


def trained_model(version: Path) -> Model:
    """Returns the model of an installed version, a folder such as `.foldin/models/<version>`."""
    return load(version)[1]


def populated(name: str, model: Model, users: int, seed: int = 1) -> Served:
    """Returns the model with users "1", "2", ... who rate popular items more often."""
    rng = np.random.default_rng(seed)
    shares = np.cumsum(model.catalog.rating_counts + 1.0)
    most = min(1_000, len(model.catalog) // 4)
    sizes = np.exp(rng.normal(np.log(MEDIAN_RATINGS), 1.0, users)).astype(int).clip(5, most)
    histories: list[tuple[Rows, Doubles]] = []
    for size in sizes:
        drawn = np.searchsorted(shares, shares[-1] * rng.random(2 * size), side="right")
        rows = np.unique(drawn)
        rows = np.sort(rng.permutation(rows)[:size]).astype(np.int32)
        values = rng.choice(np.linspace(model.scale.low, model.scale.high, 5), len(rows))
        histories.append((rows, values))
    return Served(name, model, _trained(model, histories), tuple(histories))


def _trained(model: Model, histories: Sequence[tuple[Rows, Doubles]]) -> TrainedUsers:
    past = [(rows[:-1], values[:-1]) for rows, values in histories]
    vectors, bases = [], []
    for head in (model.ranking, model.rating):
        made = [fold(head, rows, values, head.prior).vector for rows, values in past]
        pairs = zip(past, made, strict=True)
        bases.append([trained_base(head, *history, vector) for history, vector in pairs])
        vectors.append(made)
    return TrainedUsers(
        user_ids=tuple(UserId(str(user + 1)) for user in range(len(past))),
        ranking_vectors=np.array(vectors[0], np.float32),
        ranking_bases=np.array(bases[0], np.float32),
        rating_vectors=np.array(vectors[1], np.float32),
        rating_bases=np.array(bases[1], np.float32),
        digests=np.array([digest(*history) for history in past], np.uint64),
        rating_counts=np.array([len(rows) for rows, _ in past], np.int64),
    )


def fill(url: str, served: Served) -> None:
    """Publishes and activates the model in the store, and imports every user's ratings."""
    described = Description("made", int(served.trained.rating_counts.sum()), 0, "made", {}, {})
    with closing(open_store(url, NAMESPACE)) as store:
        manifest = publish(served.model, served.trained, described, store.models)
        activate(store.models, Version(manifest.version))
    asyncio.run(_import(url, served))


async def _import(url: str, served: Served) -> None:
    ids = served.model.catalog.item_ids
    pairs = list(zip(served.users, served.histories, strict=True))
    async with aclosing(open_store(url, NAMESPACE, timeout_s=60.0)) as store:
        for start in range(0, len(pairs), TOGETHER):
            await asyncio.gather(
                *(
                    store.ratings.import_ratings(
                        user,
                        [
                            ImportedRating(ids[row], value, PAST_US)
                            for row, value in zip(rows.tolist(), values.tolist(), strict=True)
                        ],
                    )
                    for user, (rows, values) in pairs[start : start + TOGETHER]
                )
            )


def forget_folded(url: str, users: Sequence[UserId]) -> None:
    """Deletes the folded states of these users from the store."""
    keys = Keys(NAMESPACE)
    with Redis.from_url(url) as store:
        for start in range(0, len(users), TOGETHER):
            store.delete(*(keys.folded(user) for user in users[start : start + TOGETHER]))


def folded_count(url: str, users: Sequence[UserId]) -> int:
    """Returns how many of these users have a folded state in the store."""
    keys = Keys(NAMESPACE)
    with Redis.from_url(url) as store:
        parts = (users[start : start + TOGETHER] for start in range(0, len(users), TOGETHER))
        return sum(store.exists(*(keys.folded(user) for user in part)) for part in parts)
