"""The figures of an evaluation, in the order of the page."""

from foldin_trainer.evaluation.evaluation_run import Evaluation
from foldin_trainer.evaluation.outcome import Outcome
from foldin_trainer.evaluation.report.canvas import ReportFigure
from foldin_trainer.evaluation.report.comparison_figures import (
    draw_methods,
    draw_popularity,
    draw_reliability,
    draw_users,
    draw_variety,
)
from foldin_trainer.evaluation.report.curve_figures import draw_curve
from foldin_trainer.evaluation.report.data_figures import (
    draw_item_map,
    draw_learning_curve,
    draw_rating_histogram,
)


def all_figures(evaluation: Evaluation) -> list[ReportFigure]:
    """Returns the figures of every protocol, of the curve of fold-in, of training and data."""
    found = [figure for outcome in evaluation.outcomes for figure in protocol_figures(outcome)]
    if evaluation.curve is not None:
        found.append(draw_curve(evaluation.curve))
    trained = evaluation.trained
    watched = [(e.loss, e.rmse) for e in trained.history if e.rmse is not None]
    if watched:
        found.append(draw_learning_curve([w[0] for w in watched], [w[1] for w in watched]))
    found.append(draw_rating_histogram(evaluation.dataset.ratings.values))
    found.append(draw_item_map(trained.model.similarity, trained.model.catalog))
    return found


def protocol_figures(outcome: Outcome) -> list[ReportFigure]:
    """Returns the figures of one protocol."""
    figures = [
        draw_methods(outcome),
        draw_users(outcome),
        draw_reliability(outcome),
        draw_popularity(outcome),
        draw_variety(outcome),
    ]
    return [figure for figure in figures if figure is not None]
