"""Figures of one protocol: accuracy with intervals, its spread over users, and variety of lists.

They draw the results of `comparison` and `trial_scores` and compute only shares and bins.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles
from matplotlib.axes import Axes
from matplotlib.ticker import (
    LogLocator,
    MaxNLocator,
    NullFormatter,
    PercentFormatter,
    ScalarFormatter,
)

from foldin_trainer.evaluation.outcome import Outcome
from foldin_trainer.evaluation.report.canvas import (
    INK,
    MUTED,
    OURS,
    ReportFigure,
    color_of,
    panels,
)
from foldin_trainer.metrics.intervals import Interval

BINS: Final = 12
FEWEST_IN_BIN: Final = 20


def draw_methods(outcome: Outcome) -> ReportFigure:
    """Draws every method's accuracy with its 95% interval, the best ranking at the top."""
    k, intervals = outcome.count, outcome.comparison.intervals
    metrics = [(f"ndcg@{k}", f"NDCG@{k}, all hidden ratings"), (f"recall@{k}", f"Recall@{k}")]
    metrics.append((f"liked_ndcg@{k}", f"NDCG@{k}, liked ones only"))
    if any("rmse" in own for own in intervals.values()):
        metrics.append(("rmse", "RMSE of ratings (lower is better)"))
    metrics = [m for m in metrics if any(_known(own.get(m[0])) for own in intervals.values())]
    names = sorted(intervals, key=lambda name: intervals[name][f"ndcg@{k}"].estimate)
    height = 1.3 + 0.42 * len(names)
    with panels(len(metrics), (3.3 * len(metrics), height), sharey=True) as axes:
        for own, (metric, label) in zip(axes, metrics, strict=True):
            for place, name in enumerate(names):
                found = intervals[name].get(metric)
                if found is not None and _known(found):
                    _interval(own, place, found, color_of(name, list(intervals)))
            own.set_xlabel(label)
            own.set_yticks(range(len(names)), names)
            own.set_ylim(-0.6, len(names) - 0.3)
            own.grid(visible=False, axis="y")
            own.xaxis.set_major_locator(MaxNLocator(4))
            own.margins(x=0.12)
    best = names[-1]
    return ReportFigure(
        f"methods_{outcome.protocol}",
        "Methods with 95% intervals",
        f"Dots with intervals of {', '.join(reversed(names))}. {best} has the highest NDCG@{k}, "
        f"{intervals[best][f'ndcg@{k}'].estimate:.3f}.",
        axes[0],
    )


def draw_popularity(outcome: Outcome) -> ReportFigure:
    """Draws the quality of lists against the popularity of their items."""
    k = outcome.count
    axes = _scatter(outcome, "mean_popularity", f"ndcg@{k}", log=True)
    axes.set_xlabel("mean training ratings of a recommended item (log scale)")
    axes.set_ylabel(f"NDCG@{k}")
    return ReportFigure(
        f"popularity_{outcome.protocol}",
        "Popularity against quality",
        _places(outcome, "mean_popularity", "ratings an item", f"ndcg@{k}", f"NDCG@{k}"),
        axes,
    )


def draw_variety(outcome: Outcome) -> ReportFigure:
    """Draws the share of the catalog that lists reach against the novelty of their items."""
    axes = _scatter(outcome, "coverage", "novelty_bits", log=False)
    axes.set_xlabel(f"coverage: share of items in any user's first {outcome.count}")
    axes.set_ylabel("novelty, bits of self-information")
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlim(left=0.0)
    axes.set_xticks([tick for tick in axes.get_xticks() if 0.0 <= tick <= 1.0])
    return ReportFigure(
        f"variety_{outcome.protocol}",
        "Coverage and novelty",
        _places(outcome, "coverage", "coverage", "novelty_bits", "bits of novelty"),
        axes,
    )


def draw_users(outcome: Outcome) -> ReportFigure:
    """Draws the share of users whose list has at least a given NDCG, method by method."""
    names = [scores.method for scores in outcome.scores]
    with panels(1, (7.0, 4.2)) as (axes,):
        ends = []
        for scores in outcome.scores:
            gains = np.sort(scores.everything.ndcg)
            shares = 1.0 - np.arange(len(gains)) / len(gains)
            color = color_of(scores.method, names)
            ours = scores.method == "foldin"
            axes.step(gains, shares, where="pre", color=color, lw=2.4 if ours else 1.5)
            ends.append((float((gains > 0.0).mean()), scores.method, color))
        # A curve meets the axis at the share of users with any hit.
        for (_, name, color), height in zip(
            sorted(ends), _apart(sorted(share for share, *_ in ends), 0.055), strict=True
        ):
            axes.annotate(
                f"{name}  ",
                (0.0, height),
                ha="right",
                va="center",
                color=color,
                annotation_clip=False,
                fontweight="bold" if name == "foldin" else "normal",
            )
        axes.set_xlim(0.0, 1.0)
        axes.set_ylim(0.0, 1.0)
        axes.yaxis.tick_right()
        axes.yaxis.set_label_position("right")
        axes.spines.right.set_visible(True)
        axes.spines.left.set_visible(False)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.set_xlabel(f"NDCG@{outcome.count} of a user's list")
        axes.set_ylabel("share of users with at least that")
    found = "; ".join(f"{name} finds something for {share:.0%}" for share, name, _ in ends)
    return ReportFigure(
        f"users_{outcome.protocol}",
        "How quality is spread over users",
        f"Curves of the share of users with at least an NDCG: {found}.",
        axes,
    )


def draw_reliability(outcome: Outcome) -> ReportFigure | None:
    """Draws mean given ratings by foldin's predicted rating; None without predictions."""
    ours = next((s for s in outcome.scores if s.method == "foldin"), None)
    if ours is None or not ours.predicted:
        return None
    predicted = np.concatenate([part.predicted for part in ours.predicted])
    actual = np.concatenate([part.actual for part in ours.predicted])
    means, given, errors, edges = reliability(predicted, actual)
    with panels(1, (5.6, 5.0)) as (axes,):
        ends = (float(edges[0]), float(edges[-1]))
        axes.plot(ends, ends, color=MUTED, lw=1, ls="--")
        axes.annotate(
            "as predicted",
            (ends[1], ends[1]),
            xytext=(0, -26),
            textcoords="offset points",
            ha="right",
            va="top",
            color=MUTED,
        )
        axes.errorbar(
            means, given, yerr=1.96 * errors, fmt="o-", color=OURS, ms=5, lw=1.5, capsize=0
        )
        axes.set_xlabel("predicted rating, mean of a bin")
        axes.set_ylabel("rating given, mean with 95% interval")
        counts, _ = np.histogram(predicted, edges)
        low, high = axes.get_ylim()
        tops = low + 0.16 * (high - low) * counts / counts.max()
        axes.bar(
            edges[:-1],
            tops - low,
            np.diff(edges),
            bottom=low,
            align="edge",
            color=OURS,
            alpha=0.18,
            lw=0,
        )
        axes.set_ylim(low, high)
        axes.annotate(
            "how often it was predicted",
            (0.99, 0.19),
            xycoords="axes fraction",
            ha="right",
            color=MUTED,
        )
    worst = float(np.abs(means - given).max()) if len(means) else 0.0
    return ReportFigure(
        f"reliability_{outcome.protocol}",
        "Are predicted ratings right on average?",
        f"Mean given rating by predicted rating in {len(means)} bins of foldin's predictions, over "
        f"the line where both agree; the largest distance is {worst:.2f}.",
        axes,
    )


def reliability(predicted: Doubles, actual: Doubles) -> tuple[Doubles, Doubles, Doubles, Doubles]:
    """Returns mean prediction, mean rating and its standard error by bin, (b,) each, and the edges.

    Bins are of equal width; those with fewer than FEWEST_IN_BIN ratings are left out.
    """
    edges = np.linspace(predicted.min(), max(predicted.max(), predicted.min() + 1e-6), BINS + 1)
    bins = np.clip(np.searchsorted(edges, predicted, "right") - 1, 0, BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    kept = counts >= min(FEWEST_IN_BIN, counts.max())
    sizes = np.maximum(counts, 1)
    means = np.bincount(bins, predicted, BINS) / sizes
    given = np.bincount(bins, actual, BINS) / sizes
    spread = np.bincount(bins, np.square(actual - given[bins]), BINS) / sizes
    errors = np.sqrt(spread / sizes)
    return means[kept], given[kept], errors[kept], edges


def _scatter(outcome: Outcome, across: str, up: str, *, log: bool) -> Axes:
    intervals = outcome.comparison.intervals
    with panels(1, (6.6, 4.4)) as (axes,):
        for name, own in intervals.items():
            x, y = own[across], own[up]
            color = color_of(name, list(intervals))
            axes.plot((x.low, x.high), (y.estimate,) * 2, color=color, lw=1.5)
            axes.plot((x.estimate,) * 2, (y.low, y.high), color=color, lw=1.5)
            axes.plot(x.estimate, y.estimate, "o", color=color, ms=7)
            axes.annotate(
                name,
                (x.estimate, y.estimate),
                xytext=(8, 7),
                textcoords="offset points",
                color=color,
                fontweight="bold" if name == "foldin" else "normal",
            )
        if log:
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(10.0, (1.0, 2.0, 3.0, 5.0, 7.0)))
            axes.xaxis.set_major_formatter(ScalarFormatter())
            axes.xaxis.set_minor_formatter(NullFormatter())
        axes.margins(x=0.18, y=0.16)
    return axes


def _places(outcome: Outcome, across: str, x_unit: str, up: str, y_unit: str) -> str:
    return "; ".join(
        f"{name}: {own[across].estimate:.3g} {x_unit}, {own[up].estimate:.3g} {y_unit}"
        for name, own in outcome.comparison.intervals.items()
    )


def _interval(axes: Axes, place: int, found: Interval, color: str) -> None:
    axes.plot((found.low, found.high), (place, place), color=color, lw=2.2, solid_capstyle="butt")
    axes.plot(found.estimate, place, "o", color=color, ms=6)
    axes.annotate(
        f"{found.estimate:.3f}",
        (found.estimate, place),
        xytext=(0, 6),
        textcoords="offset points",
        ha="center",
        fontsize=8.5,
        color=INK,
    )


def _known(found: Interval | None) -> bool:
    return found is not None and bool(np.isfinite(found.estimate))


def _apart(heights: Sequence[float], least: float) -> list[float]:
    """Returns increasing heights moved until neighbors are `least` apart, none above 1."""
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + least) if placed else height)
    top = 1.0
    for place in range(len(placed) - 1, -1, -1):
        placed[place] = min(placed[place], top)
        top = placed[place] - least
    return placed
