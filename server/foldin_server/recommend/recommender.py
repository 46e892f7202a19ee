"""Recommendations, similar items, predictions and user states, free of protobuf and gRPC.

The recommender reads users from the store and hands the computing to `recommend.page`.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from foldin_model.arrays import Doubles
from foldin_model.errors import ItemNotFound
from foldin_model.ids import ItemId, UserId
from foldin_model.personal.rating_intervals import rating_intervals
from foldin_model.records.folded_users import FoldedUser, PackedUser
from foldin_model.records.rating_history import History
from foldin_model.retrieval.filters import allowed_items
from foldin_model.retrieval.page_token import PageToken
from foldin_model.retrieval.search import Cursor, Hits
from foldin_model.retrieval.similar_items import similar_items
from foldin_model.trained.snapshot import Snapshot

from foldin_server.recommend.page import (
    Recommendation,
    current_user,
    page_of,
    predicted,
    recommend,
)
from foldin_server.recommend.users import Freshness, Users, UserView, check_known
from foldin_server.recommend.work_estimate import (
    fold_in_multiplications,
    interval_multiplications,
    page_multiplications,
)
from foldin_server.requests.arguments import (
    PredictArguments,
    RecommendArguments,
    SimilarArguments,
)
from foldin_server.runtime.deadline import Deadline
from foldin_server.runtime.executor import offload
from foldin_server.versions.snapshots import Snapshots


@dataclass(frozen=True, slots=True, eq=False)
class SimilarItems:
    """One page of items similar to another."""

    snapshot: Snapshot
    hits: Hits
    next_token: PageToken | None


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """(n,) predicted ratings, and the ratings that the user has `given`, None where they have not.

    `intervals` are lower and upper ends, (n,) each, between which nine of ten ratings lie, None if
    the model keeps no uncertainty.
    """

    snapshot: Snapshot
    user: FoldedUser
    predicted: Doubles
    intervals: tuple[Doubles, Doubles] | None
    given: tuple[float | None, ...]
    freshness: Freshness


@dataclass(frozen=True, slots=True, eq=False)
class UserState:
    """What GetUserState shows: the user as folded now, with all ratings in no order."""

    snapshot: Snapshot
    user: FoldedUser
    history: History
    trained: bool


class Recommender:
    """Answers from the serving snapshot, or from the one that a page token names."""

    def __init__(self, snapshots: Snapshots, users: Users) -> None:
        self._snapshots = snapshots
        self._users = users

    async def recommend(
        self, arguments: RecommendArguments, deadline: Deadline, *, together: int = 1
    ) -> Recommendation:
        """Returns one page of a user's list; `together` is how many one call asks for.

        Raises the errors of page tokens and of `Users.view`, and UserNotFound.
        """
        snapshot, token = self._snapshots.of_page(arguments.page)
        view = await self.view(snapshot, arguments, deadline)
        return await self.answer(snapshot, token, view, arguments, together=together)

    async def view(
        self, snapshot: Snapshot, arguments: RecommendArguments, deadline: Deadline
    ) -> UserView:
        """Returns the user as of now. Raises the errors of `Users.view`."""
        explained = arguments.max_reasons is not None
        return await self._users.view(arguments.user, snapshot.version, deadline, history=explained)

    async def answer(
        self,
        snapshot: Snapshot,
        token: PageToken | None,
        view: UserView,
        arguments: RecommendArguments,
        *,
        together: int = 1,
    ) -> Recommendation:
        """Returns the page for a view of the user. Raises UserNotFound."""
        cost = together * page_multiplications(snapshot, view, arguments)
        answer = await offload(cost, recommend, snapshot, view, arguments, token)
        if arguments.user.must_be_known:
            check_known(arguments.user.user_id, view, answer.current)
        user = answer.current
        if user.lasting and not arguments.user.profile:
            kept = PackedUser(user.version, user.revision, view.state.folded or user.pack())
            self._users.keep(arguments.user.user_id, view, kept)
        return answer

    async def similar(self, arguments: SimilarArguments) -> SimilarItems:
        """Returns a page of similar items. Raises ItemNotFound and the errors of page tokens."""
        snapshot, token = self._snapshots.of_page(arguments.page)
        row = row_of(snapshot, arguments.item_id)
        mask = allowed_items(snapshot, arguments.item_filter)
        position = None if token is None else token.position
        ranked = await offload(
            snapshot.model.similarity.size,
            page_of,
            partial(similar_items, snapshot, row, mask),
            arguments.page.size,
            position if isinstance(position, Cursor) else None,
        )
        following = None
        if ranked.rest is not None:
            following = PageToken(snapshot.version, arguments.page.digest, ranked.rest)
        return SimilarItems(snapshot, ranked.hits, following)

    async def predict(self, arguments: PredictArguments, deadline: Deadline) -> Predictions:
        """Returns predicted ratings. Raises ItemNotFound and the errors of `Users.view`."""
        snapshot = self._snapshots.serving()
        rows = np.array([row_of(snapshot, item_id) for item_id in arguments.item_ids], np.int32)
        view = await self._users.view(arguments.user, snapshot.version, deadline, history=True)
        history = view.state.history or History.empty()
        user = await offload(
            fold_in_multiplications(snapshot, view),
            current_user,
            snapshot,
            view,
            arguments.user.profile,
        )
        intervals = await offload(
            interval_multiplications(snapshot, view, rows),
            rating_intervals,
            snapshot,
            view.rated,
            user,
            rows,
            arguments.user.profile,
        )
        given: dict[ItemId, float] = dict(
            zip(history.item_ids, history.values.tolist(), strict=True)
        )
        given.update(arguments.user.profile)
        return Predictions(
            snapshot=snapshot,
            user=user,
            predicted=predicted(snapshot, rows, user.rating_vector),
            intervals=intervals,
            given=tuple(given.get(item_id) for item_id in arguments.item_ids),
            freshness=Freshness.UNKNOWN if view.degraded else Freshness.STRICT,
        )

    async def state(self, user_id: UserId) -> UserState:
        """Returns what is stored of a user. Raises StoreUnavailable, also for a remembered user."""
        snapshot = self._snapshots.serving()
        view = await self._users.stored(user_id, snapshot.version)
        user = await offload(
            fold_in_multiplications(snapshot, view), current_user, snapshot, view, ()
        )
        return UserState(
            snapshot=snapshot,
            user=user,
            history=view.state.history or History.empty(),
            trained=view.state.trained is not None,
        )


def row_of(snapshot: Snapshot, item_id: ItemId) -> int:
    """Returns the row of an item. Raises ItemNotFound if the version lacks it."""
    row = snapshot.model.catalog.row(item_id)
    if row is None:
        raise ItemNotFound(
            item_id, f"model {snapshot.version} has no item {item_id!r}; search with ListItems"
        )
    return row
