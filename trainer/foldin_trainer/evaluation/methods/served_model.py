"""A trained model as a method under evaluation, run by the same functions that serve it.

`foldin_model` folds users and makes lists; nothing is scored in another way, so that a model is
served as it is evaluated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from foldin_model.arrays import Doubles, Rows
from foldin_model.ids import ItemId
from foldin_model.lifecycle.publisher import Description, publish
from foldin_model.personal.user_vectors import fold_user, query_of
from foldin_model.records.folded_users import FoldedUser
from foldin_model.records.rating_history import History
from foldin_model.retrieval.filters import NO_FILTER, allowed_items
from foldin_model.retrieval.search import search
from foldin_model.store.opening import open_memory_models
from foldin_model.store.protocols import StoredUser
from foldin_model.trained.snapshot import Snapshot
from foldin_model.trained.trained_users import TrainedUsers, pack_trained

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.training import Trained
from foldin_trainer.metrics.cases import Case


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """The lists and predicted ratings of a snapshot, as its server would return them.

    `item_ids` are those of the data set; `model_rows` and `data_rows` translate its rows to the
    model's and back. The model must know every item.
    """

    snapshot: Snapshot
    trained: dict[str, bytes]
    item_ids: tuple[str, ...]
    model_rows: Rows
    data_rows: Rows
    name: str = "foldin"

    @classmethod
    def of(cls, snapshot: Snapshot, users: TrainedUsers, item_ids: tuple[str, ...]) -> Self:
        """Returns the method for a snapshot and the users that were published with it."""
        model_rows = snapshot.model.catalog.rows(item_ids)
        if len(model_rows) != len(item_ids):
            raise ValueError(f"the model knows {len(model_rows)} of {len(item_ids)} items")
        data_rows = np.full(len(snapshot), -1, np.int32)
        data_rows[model_rows] = np.arange(len(item_ids), dtype=np.int32)
        return cls(snapshot, dict(pack_trained(users)), item_ids, model_rows, data_rows)

    def recommend(self, cases: Sequence[Case], count: int) -> Rows:
        """Returns what Recommend returns for each user, as rows of the data set."""
        users = [self.user(case) for case in cases]
        return self.lists(cases, users, [query_of(self.snapshot, user) for user in users], count)

    def predict(self, cases: Sequence[Case]) -> Doubles:
        """Returns what PredictRatings returns for each user, clipped to the scale."""
        model = self.snapshot.model
        predicted = [
            model.rating.score(self.model_rows[case.hidden_rows], self.user(case).rating_vector)
            for case in cases
        ]
        return np.clip(np.concatenate(predicted), model.scale.low, model.scale.high)

    def user(self, case: Case) -> FoldedUser:
        """Returns the user of a case, folded as by a server whose store has the given ratings."""
        stamps = np.zeros(len(case.given_rows), np.int64)
        ids = tuple(ItemId(self.item_ids[row]) for row in case.given_rows.tolist())
        history = History.of(ids, case.given_values, stamps, stamps)
        state = StoredUser(0, history=history, trained=self.trained.get(case.user_id))
        return fold_user(self.snapshot, state)

    def lists(
        self,
        cases: Sequence[Case],
        users: Sequence[FoldedUser],
        queries: Sequence[Doubles],
        count: int,
    ) -> Rows:
        """Returns the first `count` items for each user and query, (n, count), padded with -1.

        Items that the user has rated or that their case masks are left out.
        """
        lists = np.full((len(users), count), -1, np.int32)
        for place, (case, user, query) in enumerate(zip(cases, users, queries, strict=True)):
            left_out = np.union1d(user.seen, self.model_rows[case.masked_rows]).astype(np.int32)
            unseen = allowed_items(self.snapshot, NO_FILTER, left_out)
            rows = search(self.snapshot, query, unseen, count).rows
            lists[place, : len(rows)] = self.data_rows[rows]
        return lists


def published(trained: Trained, ratings: Ratings) -> Snapshot:
    """Publishes a trained model to a store in memory and returns its snapshot."""
    description = Description(
        method=trained.settings.method,
        rating_count=len(ratings),
        seed=trained.settings.seed,
        data_hash=ratings.hash,
        metrics=trained.metrics,
        settings=trained.settings.flat(),
    )
    # Any exact index gives the same lists; this one avoids faiss, which conflicts with torch.
    store = open_memory_models()
    manifest = publish(trained.model, trained.users, description, store, index_kind="pruned")
    return Snapshot.build(manifest, trained.model)


@dataclass(frozen=True, slots=True, eq=False)
class RatingHeadAlone:
    """The served model with lists ordered by predicted rating, for comparison."""

    served: Served
    name: str = "mf alone"

    def recommend(self, cases: Sequence[Case], count: int) -> Rows:
        """Returns the unseen items of the highest predicted rating, unclipped for fewer ties."""
        users = [self.served.user(case) for case in cases]
        silent = np.zeros_like(self.served.snapshot.model.ranking_prior)
        queries = [np.concatenate((silent, [1.0], user.rating_vector)) for user in users]
        return self.served.lists(cases, users, queries, count)

    def predict(self, cases: Sequence[Case]) -> Doubles:
        """Returns the predicted ratings of the served model."""
        return self.served.predict(cases)
