"""First pages of plain lists (the best items that a user has not seen), for many users at once.

Every page is the one that `foldin_server.recommend.page` makes alone, to the last bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from foldin_model.arrays import Floats, Integers, Mask, Rows
from foldin_model.records.folded_users import FoldedUsers, Kinds
from foldin_model.retrieval.filters import NO_FILTER
from foldin_model.retrieval.page_token import signed_cursors
from foldin_model.retrieval.search import search_batch
from foldin_model.trained.snapshot import Snapshot
from numpy.typing import NDArray

from foldin_server.recommend.page import predicted
from foldin_server.requests.arguments import PageArguments, RecommendArguments, UserArguments

_FIRST_PAGE: Final = (UserArguments(None), PageArguments(0, "", b""))
_PLAIN: Final = RecommendArguments(*_FIRST_PAGE, NO_FILTER)[len(_FIRST_PAGE) :]


@dataclass(frozen=True, slots=True, eq=False)
class PlainPages:
    """One page for each of (m,) users; the i-th has the first `counts[i]` items.

    `revisions`, `rating_counts` and `personalizations` (m,) are those of the users. `rows` (m, k)
    are the items, `scores` and `predictions` (m, k) their numbers. `signed` (m, s) are the tokens
    of the next pages, valid where the list `goes_on` (m,).
    """

    revisions: Integers
    rating_counts: Integers
    personalizations: Kinds
    rows: Rows
    scores: Floats
    predictions: Floats
    counts: Integers
    goes_on: Mask
    signed: NDArray[np.uint8]


def is_plain(snapshot: Snapshot, arguments: RecommendArguments) -> bool:
    """Returns whether `plain_pages` makes the page of these arguments."""
    return (
        snapshot.retrieval.quantized is not None
        and arguments[len(_FIRST_PAGE) :] == _PLAIN
        and not arguments.page.token
    )


def plain_pages(
    snapshot: Snapshot,
    users: FoldedUsers,
    digests: Sequence[bytes],
    size: int,
    page_key: bytes,
) -> PlainPages:
    """Returns the first `size` items for each of (m,) users; `digests` (m,) name their lists."""
    model = snapshot.model
    queries = model.queries(users.ranking_vectors, users.rating_vectors)
    hidden = users.seen.each_with(model.catalog.unavailable)
    lists = search_batch(snapshot.retrieval, queries, hidden, size + 1)
    goes_on = lists.counts > size  # there is one more
    rows, scores = lists.rows[:, :size], lists.scores[:, :size]
    owners = np.arange(len(users)).repeat(size)
    predictions = predicted(snapshot, rows.ravel(), users.rating_vectors, owners)
    return PlainPages(
        revisions=users.revisions,
        rating_counts=users.rating_counts,
        personalizations=users.personalizations,
        rows=rows,
        scores=scores.astype(np.float32),
        predictions=predictions.astype(np.float32).reshape(rows.shape),
        counts=lists.counts - goes_on,
        goes_on=goes_on,
        signed=signed_cursors(page_key, digests, users, scores[:, -1], rows[:, -1]),
    )
