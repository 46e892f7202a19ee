"""First pages of plain lists, made for many users at once: what is best of all they have not seen.

Every page is the one that `foldin_server.ranking` makes alone, to the last bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from foldin_model.arrays import Floats, Integers, Rows
from foldin_model.filtering import ANYTHING
from foldin_model.paging import signed_cursors
from foldin_model.searching import search_together
from foldin_model.snapshot import Snapshot
from foldin_model.users import FoldedUser
from numpy.typing import NDArray

from foldin_server.arguments import RecommendArguments
from foldin_server.ranking import predicted


@dataclass(frozen=True, slots=True, eq=False)
class PlainPages:
    """The pages of (m,) users one after the other, `ends` where each ends.

    `rows` has the items, `scores` and `predictions` (n,) what they are shown with. `signed` (t, s)
    are page tokens, the `tokens[i]`-th is that of the i-th list; -1 where nothing is left.
    """

    users: Sequence[FoldedUser]
    rows: Rows
    scores: Floats
    predictions: Floats
    ends: Integers
    tokens: Integers
    signed: NDArray[np.uint8]


def is_plain(snapshot: Snapshot, arguments: RecommendArguments) -> bool:
    """Whether `plain_pages` makes the page that is asked for."""
    return (
        snapshot.retrieval.coarse is not None
        and arguments.conditions is ANYTHING
        and arguments.max_reasons is None
        and not (arguments.page.token or arguments.include_rated or arguments.diversified)
    )


def plain_pages(
    snapshot: Snapshot,
    users: Sequence[FoldedUser],
    digests: Sequence[bytes],
    size: int,
    page_key: bytes,
) -> PlainPages:
    """The first `size` items for each of (m,) users; `digests` (m,) name their lists."""
    ranking = np.concatenate([user.ranking_vector for user in users]).reshape(len(users), -1)
    rating = np.concatenate([user.rating_vector for user in users]).reshape(len(users), -1)
    queries = snapshot.model.queries(ranking, rating)
    unavailable = snapshot.model.catalog.unavailable
    hidden = [user.seen for user in users]
    if len(unavailable):
        hidden = [np.concatenate((rows, unavailable)) for rows in hidden]
    lists = search_together(snapshot.retrieval, queries, hidden, size + 1)
    goes_on = lists.counts > size  # there is one more
    counts = lists.counts - goes_on
    shown = np.arange(size) < counts[:, None]
    rows, scores = lists.rows[:, :size][shown], lists.scores[:, :size][shown]
    owners = np.arange(len(users)).repeat(counts)
    ends = counts.cumsum()
    last = ends[goes_on] - 1
    going_on = goes_on.nonzero()[0].tolist()
    signed = signed_cursors(
        snapshot.version,
        page_key,
        [digests[place] for place in going_on],
        [users[place] for place in going_on],
        vectors=(ranking[goes_on], rating[goes_on]),
        cursors=(scores[last], rows[last]),
    )
    return PlainPages(
        users=users,
        rows=rows,
        scores=scores.astype(np.float32),
        predictions=predicted(snapshot, rows, rating, owners).astype(np.float32),
        ends=ends,
        tokens=np.where(goes_on, goes_on.cumsum() - 1, -1),
        signed=signed,
    )
