"""Estimates of how many multiplications the parts of an answer take.

They decide what is computed on the event loop and what in a thread (see `runtime.executor`).
"""

from foldin_model.arrays import Rows
from foldin_model.retrieval.diversity import WINDOW
from foldin_model.trained.snapshot import Snapshot

from foldin_server.recommend.users import UserView
from foldin_server.requests.arguments import RecommendArguments


def page_multiplications(
    snapshot: Snapshot, view: UserView, arguments: RecommendArguments
) -> float:
    """Returns about how many multiplications a page takes (see `page.recommend`)."""
    model = snapshot.model
    folding = fold_in_multiplications(snapshot, view)
    rated = len(view.state.history or ())
    explaining = rated * arguments.page.size * model.dimension if arguments.max_reasons else 0
    diversifying = WINDOW * WINDOW * model.similarity.shape[1] if arguments.diversified else 0
    return model.items.size + folding + explaining + diversifying


def fold_in_multiplications(snapshot: Snapshot, view: UserView) -> float:
    """Returns about how many multiplications the fold-in of a user takes."""
    if not view.state.history:
        return 0.0
    rated, operations = len(view.state.history), 0.0
    for head in (snapshot.model.ranking, snapshot.model.rating):
        dimension = len(head.prior)
        operations += rated * dimension * head.kind.encodes
        operations += rated * dimension * min(rated, dimension) / 2 * head.kind.solves
    return operations


def interval_multiplications(snapshot: Snapshot, view: UserView, rows: Rows) -> float:
    """Returns about how many multiplications the rating intervals of a user take."""
    if snapshot.model.uncertainty is None:
        return 0.0
    rated, dimension = len(view.state.history or ()), len(snapshot.model.rating_prior)
    return (dimension + rated + len(rows)) * dimension**2
