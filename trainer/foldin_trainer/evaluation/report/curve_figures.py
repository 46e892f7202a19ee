"""The figure of the learning curve of fold-in: RMSE by method, and the gap to a retrain."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from foldin_trainer.evaluation.fold_in.learning_curve import (
    ADAM_RETRAIN,
    EXACT_FOLD_IN,
    NO_FOLD_IN,
    RETRAIN,
    RIDGE,
    SGD,
    THREE_STEPS,
    FoldInCurve,
)
from foldin_trainer.evaluation.report.canvas import INK, MUTED, OTHERS, OURS, ReportFigure, panels

STYLES = {
    SGD: (OTHERS[0], "-"),
    RIDGE: (OTHERS[2], "-"),
    ADAM_RETRAIN: (OTHERS[3], "-"),
    RETRAIN: (OTHERS[1], "-"),
    EXACT_FOLD_IN: (MUTED, "--"),
    THREE_STEPS: (OURS, "-"),
}
ALLOWED_GAP = 0.002


def draw_curve(curve: FoldInCurve) -> ReportFigure:
    """Draws RMSE against no fold-in by method, and three steps minus the better retrain."""
    points = curve.points
    sizes = [point.ratings for point in points]
    names = [name for name in STYLES if name in points[0].comparison.intervals]
    with panels(2, (11.0, 4.6), width_ratios=(3, 2)) as (left, right):
        ends = []
        for name in names:
            color, line = STYLES[name]
            saved = [point.estimate(name) - point.estimate(NO_FOLD_IN) for point in points]
            ours = name == THREE_STEPS
            left.plot(sizes, saved, line, color=color, lw=2.6 if ours else 1.5, marker="o", ms=4)
            ends.append((saved[-1], name, color))
        left.axhline(0.0, color=MUTED, lw=1)
        ends.append((0.0, NO_FOLD_IN, MUTED))
        _name_ends(left, sizes[-1], ends)
        left.set_ylabel("RMSE against no fold-in, rating units")
        _gaps(right, curve)
        for axes in (left, right):
            axes.set_xscale("log")
            axes.set_xlabel("ratings of a new user (log scale)")
            axes.xaxis.set_major_locator(FixedLocator(sizes))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.set_xticklabels([str(size) for size in sizes])
    last = points[-1]
    return ReportFigure(
        "fold_in",
        "What a new user's first ratings are worth",
        f"RMSE by number of ratings. With {last.ratings}: "
        + ", ".join(f"{name} {last.estimate(name):.4f}" for name in (NO_FOLD_IN, *names))
        + f". Largest gap to a full retrain {max(p.gap for p in points):+.4f}.",
        left,
    )


def _gaps(axes: Axes, curve: FoldInCurve) -> None:
    """Draws three steps minus the better retrain with paired 95% intervals, and the allowed gap."""
    for point in curve.points:
        best = min(point.retrains, key=point.estimate)
        apart = point.comparison.difference(best, "rmse")
        if apart is not None:
            found = apart.interval
            axes.plot((point.ratings,) * 2, (found.low, found.high), color=OURS, lw=2)
            axes.plot(point.ratings, found.estimate, "o", color=OURS, ms=6)
    axes.axhline(0.0, color=MUTED, lw=1)
    axes.axhline(ALLOWED_GAP, color=OTHERS[0], lw=1, ls="--")
    axes.annotate(
        f"allowed: {ALLOWED_GAP:g}",
        (1.0, ALLOWED_GAP),
        xycoords=("axes fraction", "data"),
        xytext=(-4, 3),
        textcoords="offset points",
        ha="right",
        color=OTHERS[0],
    )
    axes.set_ylabel("three steps minus the better retrain, RMSE")
    axes.set_title("below zero: folding in is better", loc="left", fontsize=10, color=INK)
    axes.margins(x=0.1)


def _name_ends(axes: Axes, x: int, ends: list[tuple[float, str, str]]) -> None:
    low, high = axes.get_ylim()
    least = 0.062 * (high - low)
    height = -np.inf
    for end, name, color in sorted(ends):
        height = max(end, height + least)
        axes.annotate(
            name,
            (x, end),
            xytext=(1.02, height),
            textcoords=("axes fraction", "data"),
            va="center",
            color=color,
            fontweight="bold" if name == THREE_STEPS else "normal",
            annotation_clip=False,
        )
