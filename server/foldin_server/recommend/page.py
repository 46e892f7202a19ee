"""One page of recommendations from a snapshot and a user: fold in, search, order, explain.

This module computes and never waits; the caller decides whether on the event loop or in a thread.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from foldin_model.arrays import Doubles, Integers, Mask, Rows
from foldin_model.ids import ItemId
from foldin_model.index.canonical_score import canonical_scores
from foldin_model.personal.explanation import Explanation, explain, rating_contributions
from foldin_model.personal.user_vectors import fold_user, query_of
from foldin_model.records.folded_users import FoldedUser
from foldin_model.retrieval.diversity import WINDOW, diversify
from foldin_model.retrieval.filters import allowed_items
from foldin_model.retrieval.page_token import PageToken
from foldin_model.retrieval.search import Cursor, Hits, search
from foldin_model.trained.snapshot import Snapshot

from foldin_server.recommend.users import Freshness, UserView
from foldin_server.requests.arguments import RecommendArguments


@dataclass(frozen=True, slots=True, eq=False)
class RankedPage:
    """The items of a page in their order, and where the next page begins, None on the last."""

    hits: Hits
    rest: Cursor | Rows | None


@dataclass(frozen=True, slots=True, eq=False)
class Recommendation:
    """One page of recommendations for one user.

    `user` is the folded user that the list was made for, `current` the user as of now: they differ
    where the page continues an earlier list. `predictions` are (n,) ratings on the scale.
    """

    snapshot: Snapshot
    current: FoldedUser
    user: FoldedUser
    hits: Hits
    predictions: Doubles
    explanations: tuple[Explanation, ...] | None
    next_token: PageToken | None
    freshness: Freshness


def recommend(
    snapshot: Snapshot, view: UserView, arguments: RecommendArguments, token: PageToken | None
) -> Recommendation:
    """Returns the page that `arguments` ask for: the first, or the one of the `token`."""
    extra = arguments.user.profile
    current = current_user(snapshot, view, extra)
    user = current
    if token is not None and token.user is not None:
        user = token.user._replace(seen=current.seen)
    ranked = _ranked(snapshot, user, arguments, token)
    hits = ranked.hits
    explanations = None
    if arguments.max_reasons is not None:
        contributions = rating_contributions(snapshot, user, view.rated, extra)
        explanations = explain(snapshot, user, contributions, hits.rows, arguments.max_reasons)
    return Recommendation(
        snapshot=snapshot,
        current=current,
        user=user,
        hits=hits,
        predictions=predicted(snapshot, hits.rows, user.rating_vector),
        explanations=explanations,
        next_token=_following(snapshot, user, arguments, ranked),
        freshness=view.freshness,
    )


def current_user(
    snapshot: Snapshot, view: UserView, extra: tuple[tuple[ItemId, float], ...]
) -> FoldedUser:
    """Returns the folded user of a view, with the `extra` ratings of a profile over the stored.

    A folded state has no ratings to fold again: with a profile, only its seen items are kept.
    """
    if view.state.folded is None or not extra:
        return fold_user(snapshot, view.state, extra)
    remembered = fold_user(snapshot, view.state)
    user = fold_user(snapshot, view.rated, extra)
    return user._replace(revision=remembered.revision, seen=np.union1d(user.seen, remembered.seen))


def predicted(
    snapshot: Snapshot, rows: Rows, vector: Doubles, owners: Integers | None = None
) -> Doubles:
    """Returns the predicted ratings (n,), on the scale, of the items at (n,) rows.

    They are those of the user with the rating vector (d,). With `owners` (n,), `vector` has the
    shape (m, d) and the i-th rating is that of the user `owners[i]`.
    """
    model = snapshot.model
    ratings = model.rating.score(rows, vector, owners)
    np.maximum(ratings, model.scale.low, out=ratings)
    return np.minimum(ratings, model.scale.high, out=ratings)


def page_of(find: partial[Hits], size: int, after: Cursor | None) -> RankedPage:
    """Returns the first `size` hits of a search after the cursor."""
    hits = find(count=size + 1, after=after)
    if len(hits) <= size:
        return RankedPage(hits, None)
    page = Hits(hits.rows[:size], hits.scores[:size])
    return RankedPage(page, page.last)


def _following(
    snapshot: Snapshot, user: FoldedUser, arguments: RecommendArguments, ranked: RankedPage
) -> PageToken | None:
    if ranked.rest is None:
        return None
    return PageToken(snapshot.version, arguments.page.digest, ranked.rest, user)


def _ranked(
    snapshot: Snapshot,
    user: FoldedUser,
    arguments: RecommendArguments,
    token: PageToken | None,
) -> RankedPage:
    hidden = None if arguments.include_rated else user.seen
    query = query_of(snapshot, user)
    position = None if token is None else token.position
    size = arguments.page.size
    if isinstance(position, np.ndarray):
        return _cut(snapshot, query, _left(snapshot, position, hidden), size)
    mask = allowed_items(snapshot, arguments.item_filter, hidden)
    if arguments.diversified:
        return _cut(snapshot, query, _diversified(snapshot, query, mask, arguments), size)
    after = position if isinstance(position, Cursor) else None
    return page_of(partial(search, snapshot, query, mask), size, after)


def _diversified(
    snapshot: Snapshot, query: Doubles, mask: Mask | None, arguments: RecommendArguments
) -> Rows:
    window = search(snapshot, query, mask, WINDOW)
    return diversify(snapshot, window, arguments.strength, arguments.max_per_cluster)


def _cut(snapshot: Snapshot, query: Doubles, rows: Rows, size: int) -> RankedPage:
    page, rest = rows[:size], rows[size:]
    hits = Hits(page, canonical_scores(snapshot.model.items, page, query))
    return RankedPage(hits, rest if len(rest) else None)


def _left(snapshot: Snapshot, rows: Rows, hidden: Rows | None) -> Rows:
    """Returns the rows that may still be shown; the server of the token may know more of them."""
    rows = rows[rows < len(snapshot)]
    rows = rows[~np.isin(rows, snapshot.model.catalog.unavailable)]
    return rows if hidden is None else rows[~np.isin(rows, hidden)]
