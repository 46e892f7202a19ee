"""One sentence a protocol that says what its table shows; every number in it is in the table."""

from foldin_trainer.evaluation.comparing import Difference
from foldin_trainer.evaluation.learning_curve import NONE, RETRAIN, STEPS, CurvePoint, FoldInCurve
from foldin_trainer.evaluation.report import Outcome


def summary_of_outcome(outcome: Outcome) -> str:
    """How foldin does in this protocol against the best other method."""
    metric = f"ndcg@{outcome.count}"
    intervals = outcome.comparison.intervals
    ours = intervals["foldin"]
    others = {name: own[metric].estimate for name, own in intervals.items() if name != "foldin"}
    found = ours[metric]
    sentence = (
        f"foldin reaches NDCG@{outcome.count} {found.estimate:.3f} "
        f"({found.low:.3f} to {found.high:.3f})"
    )
    if others:
        best = max(others, key=lambda name: others[name])
        apart = outcome.comparison.difference(best, metric)
        sentence += f", {_apart(apart)} {best} with {others[best]:.3f}"
    if "rmse" in ours:
        rmse = ours["rmse"]
        sentence += (
            f"; it predicts ratings with RMSE {rmse.estimate:.4f} "
            f"({rmse.low:.4f} to {rmse.high:.4f})"
        )
    return sentence + "."


def summary_of_curve(curve: FoldInCurve) -> str:
    """What the first ratings are worth, and what a full retrain would add."""
    short = [point for point in curve.points if point.ratings <= 20] or list(curve.points)
    last = short[-1]
    gap = max(short, key=lambda point: point.gap)
    return (
        f"The first {last.ratings} ratings, folded in by three steps, lower the RMSE from "
        f"{last.estimate(NONE):.4f} to {last.estimate(STEPS):.4f}; a full retrain reaches "
        f"{min(last.estimate(name) for name in last.retrains):.4f}, and over "
        f"{short[0].ratings} to {last.ratings} ratings fold-in is at most {gap.gap:+.4f} from it"
        f"{_chance(gap)}."
    )


def _apart(difference: Difference | None) -> str:
    if difference is None or not difference.significant:
        return "not to be told from"
    return "above" if difference.interval.estimate > 0 else "below"


def _chance(point: CurvePoint) -> str:
    best = min(point.retrains or [RETRAIN], key=point.estimate)
    apart = point.comparison.difference(best, "rmse")
    if apart is None:
        return ""
    return f" (at {point.ratings}: {apart.interval.low:+.4f} to {apart.interval.high:+.4f})"
