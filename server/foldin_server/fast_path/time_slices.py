"""The work of a batch, cut into turns of the event loop that hold up other calls only briefly."""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol, TypeVar

from foldin_model.trained.snapshot import Snapshot

from foldin_server.recommend.users import UserView
from foldin_server.recommend.work_estimate import fold_in_multiplications
from foldin_server.runtime.executor import INLINE_MULTIPLICATIONS

SLICE_MULTIPLICATIONS: Final = (
    40_000_000  # multiplications a turn, which takes one to two milliseconds
)
FEWEST: Final = 8  # where lists take long, fewer of them take hardly less time
Member = TypeVar("Member")


def even_shares(snapshot: Snapshot, members: Sequence[Member]) -> Iterator[Sequence[Member]]:
    """Yields equal shares of about one turn each; a small rest would cost almost as much."""
    operations = snapshot.retrieval.usual_rows * snapshot.model.dimension
    turns = round(len(members) * operations / SLICE_MULTIPLICATIONS)
    turns = max(1, min(turns, len(members) // FEWEST))
    most = -(-len(members) // turns)
    for start in range(0, len(members), most):
        yield members[start : start + most]


class Viewed(Protocol):
    """A call whose user was read."""

    @property
    def view(self) -> UserView: ...


Reader = TypeVar("Reader", bound=Viewed)


def folding_shares(
    snapshot: Snapshot, members: Sequence[Reader]
) -> Iterator[tuple[float, Sequence[Reader]]]:
    """Yields shares whose users are folded together, with the multiplications that this takes."""
    start, spent = 0, 0.0
    for place, member in enumerate(members):
        view = member.view
        cost = fold_in_multiplications(snapshot, view) if view.state.history else 0.0
        if place > start and spent + cost > INLINE_MULTIPLICATIONS:
            yield spent, members[start:place]
            start, spent = place, 0.0
        spent += cost
    if len(members) > start:
        yield spent, members[start:]
