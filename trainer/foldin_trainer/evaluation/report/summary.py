"""Sums up each protocol in a sentence; every number in it is in the protocol's table."""

from collections.abc import Sequence

from foldin_trainer.evaluation.fold_in.learning_curve import (
    NO_FOLD_IN,
    RETRAIN,
    THREE_STEPS,
    CurvePoint,
)
from foldin_trainer.evaluation.outcome import TOO_FEW, Outcome
from foldin_trainer.evaluation.report.tables import interval_text
from foldin_trainer.metrics.comparison import FEWEST_USERS, Difference
from foldin_trainer.metrics.intervals import Interval


def summary_of_outcome(outcome: Outcome) -> str:
    """Returns a sentence that compares foldin with the best other method."""
    metric = f"ndcg@{outcome.count}"
    intervals = outcome.comparison.intervals
    ours = intervals["foldin"]
    others = {name: own[metric].estimate for name, own in intervals.items() if name != "foldin"}
    found = ours[metric]
    sentence = f"foldin reaches NDCG@{outcome.count} {_with_ends(found, 3)}"
    if others:
        best = max(others, key=lambda name: others[name])
        apart = outcome.comparison.difference(best, metric)
        theirs = f"{best} with {others[best]:.3f}"
        untold = apart is not None and not apart.tested
        sentence += ", " + (
            f"beside {theirs} with too few users to tell the two apart"
            if untold
            else f"{_apart(apart)} {theirs}"
        )
    if "rmse" in ours:
        sentence += f"; it predicts ratings with RMSE {_with_ends(ours['rmse'], 4)}"
    return sentence + "."


def summary_of_curve(points: Sequence[CurvePoint]) -> str:
    """Returns a sentence on the gain of the first ratings and the gap to a full retrain."""
    short = [point for point in points if point.ratings <= 20] or list(points)
    last = short[-1]
    gap = max(short, key=lambda point: point.gap)
    few = min(point.users for point in short)
    return (
        f"The first {last.ratings} ratings, folded in by three steps, "
        f"{_change(last.estimate(NO_FOLD_IN), last.estimate(THREE_STEPS))}; a full retrain reaches "
        f"{min(last.estimate(name) for name in last.retrains):.4f}, and over "
        f"{short[0].ratings} to {last.ratings} ratings fold-in is at most {gap.gap:+.4f} from it"
        f"{_chance(gap)}."
        + (f" Only {few} users were asked: {TOO_FEW}." if few < FEWEST_USERS else "")
    )


def _change(before: float, after: float) -> str:
    if f"{before:.4f}" == f"{after:.4f}":
        return f"leave the RMSE at {before:.4f}"
    return f"{'lower' if after < before else 'raise'} the RMSE from {before:.4f} to {after:.4f}"


def _with_ends(interval: Interval, places: int) -> str:
    ends = interval_text(interval, places)
    return f"{interval.estimate:.{places}f}" + (f" ({ends})" if ends else "")


def _apart(difference: Difference | None) -> str:
    if difference is None or not difference.significant:
        return "not significantly different from"
    return "above" if difference.interval.estimate > 0 else "below"


def _chance(point: CurvePoint) -> str:
    best = min(point.retrains or [RETRAIN], key=point.estimate)
    apart = point.comparison.difference(best, "rmse")
    if apart is None or not apart.tested:
        return ""
    return f" (at {point.ratings}: {apart.interval.low:+.4f} to {apart.interval.high:+.4f})"
