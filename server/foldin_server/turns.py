"""How the work of a batch is cut into turns of the event loop: none holds others up for long."""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from foldin_model.snapshot import Snapshot

from foldin_server.offloading import INLINE_OPERATIONS
from foldin_server.ranking import folding_operations
from foldin_server.users import UserView

OPERATIONS: Final = 40_000_000  # multiplications a turn, which takes one to two milliseconds
FEWEST: Final = 8  # fewer lists than that take hardly less time, where they take long
Member = TypeVar("Member")


def even_shares(snapshot: Snapshot, members: Sequence[Member]) -> Iterator[Sequence[Member]]:
    """Shares of one size that take about a turn each: a small rest would cost almost as much."""
    operations = snapshot.retrieval.usual_rows * snapshot.model.dimension
    turns = round(len(members) * operations / OPERATIONS)
    turns = max(1, min(turns, len(members) // FEWEST))
    most = -(-len(members) // turns)
    for start in range(0, len(members), most):
        yield members[start : start + most]


def folding_shares(
    snapshot: Snapshot, views: Sequence[UserView]
) -> Iterator[tuple[float, list[int]]]:
    """The places of views that are folded together, and how many multiplications that takes."""
    together: list[int] = []
    spent = 0.0
    for place, view in enumerate(views):
        if view.remembered is not None:
            continue
        cost = folding_operations(snapshot, view)
        if together and spent + cost > INLINE_OPERATIONS:
            yield spent, together
            together, spent = [], 0.0
        together.append(place)
        spent += cost
    if together:
        yield spent, together
