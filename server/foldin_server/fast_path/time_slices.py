"""How the work of a batch is cut into turns of the event loop: none holds others up for long."""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol, TypeVar

from foldin_model.trained.snapshot import Snapshot

from foldin_server.recommend.page import folding_operations
from foldin_server.recommend.users import UserView
from foldin_server.runtime.executor import INLINE_OPERATIONS

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


class Viewed(Protocol):
    """Somebody whose user was read."""

    @property
    def view(self) -> UserView: ...


Reader = TypeVar("Reader", bound=Viewed)


def folding_shares(
    snapshot: Snapshot, members: Sequence[Reader]
) -> Iterator[tuple[float, Sequence[Reader]]]:
    """Those whose users are made together, and how many multiplications that takes."""
    start, spent = 0, 0.0
    for place, member in enumerate(members):
        view = member.view
        cost = folding_operations(snapshot, view) if view.state.history else 0.0
        if place > start and spent + cost > INLINE_OPERATIONS:
            yield spent, members[start:place]
            start, spent = place, 0.0
        spent += cost
    if len(members) > start:
        yield spent, members[start:]
