"""Figures of a data set and of a training run, drawn from arrays."""

from collections.abc import Sequence

import numpy as np
from foldin_model.arrays import Doubles, Floats, Integers
from foldin_model.trained.catalog import Catalog, Cluster
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from foldin_trainer.evaluation.report.canvas import INK, MUTED, OURS, ReportFigure, panels
from foldin_trainer.evaluation.report.canvas import OTHERS as SERIES

COLORS = (
    "#3b6fb6",
    "#e08214",
    "#2f9e77",
    "#c2406d",
    "#7c5cb8",
    "#8a6d3b",
    "#d96fbf",
    "#6b7785",
    "#a8b820",
    "#25a9c2",
    "#9b2226",
    "#52b788",
    "#f4a259",
    "#5e548e",
    "#bc4b51",
    "#808000",
)
OTHERS = "#c9ced4"
MAPPED_ITEMS = 1_000
NAMED_ITEMS = 60


def draw_learning_curve(
    train_loss: Sequence[float], validation_rmse: Sequence[float]
) -> ReportFigure:
    """Draws training loss and validation RMSE by epoch, both (epochs,), and the least RMSE."""
    epochs = np.arange(1, len(train_loss) + 1)
    kept = int(np.argmin(validation_rmse)) + 1
    with panels(2, (9.0, 3.6)) as (left, right):
        left.plot(epochs, train_loss, color=SERIES[0], marker="o", ms=3)
        left.set_ylabel("training loss with L2, rating units²")
        right.plot(epochs, validation_rmse, color=OURS, marker="o", ms=3)
        right.set_ylabel("validation RMSE, rating units")
        right.axvline(kept, color=MUTED, ls="--", lw=1)
        right.annotate(
            f"best: {validation_rmse[kept - 1]:.4f} after {kept}",
            (kept, max(validation_rmse)),
            xytext=(-5, 0),
            textcoords="offset points",
            ha="right",
            va="top",
            color=INK,
        )
        for axes in (left, right):
            axes.set_xlabel("pass over the ratings")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return ReportFigure(
        "learning_curve",
        "Learning curve of the rating head",
        f"Training loss goes from {train_loss[0]:.3f} to {train_loss[-1]:.3f} in {len(epochs)} "
        f"passes; validation RMSE is least after pass {kept}, {validation_rmse[kept - 1]:.4f}.",
        left,
    )


def draw_rating_histogram(values: Doubles) -> ReportFigure:
    """Draws how often each rating was given, as a share of all."""
    levels, counts = np.unique(values, return_counts=True)
    shares = counts / counts.sum()
    with panels(1, (6.5, 3.6)) as (axes,):
        width = 0.8 * float(np.diff(levels).min(initial=1.0))
        bars = axes.bar(levels, shares, width=width, color=OURS)
        if len(levels) <= 20:
            axes.set_xticks(levels)
            axes.bar_label(bars, [f"{share:.0%}" for share in shares], padding=2, fontsize=9)
        axes.set_xlabel("rating")
        axes.set_ylabel("share of ratings")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.grid(visible=False, axis="x")
    most = int(np.argmax(counts))
    return ReportFigure(
        "rating_histogram",
        f"How {len(values):,} ratings are distributed (mean {values.mean():.2f})",
        f"Shares of {len(levels)} ratings; the most common is {levels[most]:g} with "
        f"{shares[most]:.0%}.",
        axes,
    )


def draw_item_map(vectors: Floats, catalog: Catalog) -> ReportFigure:
    """Draws the most rated items in their principal plane, colored by cluster, some with titles.

    `vectors` is (n_items, d), best those of the similarity search. Rows are scaled to unit length
    and weighted by their number of ratings. The largest clusters have a color of their own.
    """
    drawn = np.argsort(-catalog.rating_counts, kind="stable")[:MAPPED_ITEMS]
    drawn = drawn[catalog.rating_counts[drawn] > 0]
    counts = catalog.rating_counts[drawn]
    points, shares = principal_plane(vectors[drawn], counts.astype(np.float64))
    colored = _largest_clusters(catalog, drawn)
    colors = dict(zip((cluster.id for cluster in colored), COLORS, strict=False))
    title = f"The {len(drawn):,} most rated items by what their users like"
    with panels(1, (13.0, 8.0)) as (axes,):
        axes.scatter(
            points[:, 0],
            points[:, 1],
            s=6.0 + 150.0 * counts / counts.max(),
            c=[colors.get(int(id_), OTHERS) for id_ in catalog.cluster_ids[drawn]],
            alpha=0.6,
            lw=0,
        )
        axes.set_xlim(right=points[:, 0].max() + 0.15 * np.ptp(points[:, 0]))
        _name_points(axes, points, [catalog.titles[row] for row in drawn.tolist()])
        axes.set_xlabel(f"first principal component ({shares[0]:.0%} of the variance)")
        axes.set_ylabel(f"second principal component ({shares[1]:.0%})")
        for cluster in colored:
            name = f"{cluster.id} {_shortened(cluster.name, 46)}"
            axes.scatter([], [], s=50, lw=0, color=colors[cluster.id], label=name)
        if len(colored) < len(catalog.clusters):
            axes.scatter([], [], s=50, lw=0, color=OTHERS, label="other clusters")
        axes.legend(title="cluster", loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=8.5)
    names = ", ".join(cluster.name for cluster in colored[:5])
    return ReportFigure(
        "item_map",
        title,
        f"{len(drawn):,} items in the plane of the two largest principal components of their "
        f"vectors, colored by cluster; the largest are {names}.",
        axes,
    )


def principal_plane(vectors: Floats, weights: Doubles) -> tuple[Doubles, Doubles]:
    """Returns (n, 2) coordinates in the principal plane of unit-length rows, and variance shares.

    Mean and covariance are weighted by `weights` (n,); the shares (2,) are those of the two axes.
    The farthest point of each axis is on its positive side, so that the same vectors give the same
    picture.
    """
    rows = vectors.astype(np.float64)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    rows -= np.average(rows, axis=0, weights=weights)
    variances, axes = np.linalg.eigh((rows.T * weights) @ rows)
    points = rows @ axes[:, [-1, -2]]
    peaks = points[np.abs(points).argmax(axis=0), [0, 1]]
    shares = variances[[-1, -2]] / max(float(variances.sum()), 1e-12)
    return points * np.where(peaks < 0.0, -1.0, 1.0), shares


def _largest_clusters(catalog: Catalog, drawn: Integers) -> list[Cluster]:
    """Returns the clusters with most ratings among the drawn items, at most one per color."""
    ratings = np.bincount(
        catalog.cluster_ids[drawn],
        catalog.rating_counts[drawn],
        minlength=1 + max((cluster.id for cluster in catalog.clusters), default=0),
    )
    by_size = sorted(catalog.clusters, key=lambda cluster: -ratings[cluster.id])
    return [cluster for cluster in by_size[: len(COLORS)] if ratings[cluster.id] > 0]


def _name_points(axes: Axes, points: Doubles, titles: Sequence[str]) -> None:
    """Writes titles at points in order, leaving out those that would cover another."""
    places = (points - points.min(axis=0)) / (np.ptp(points, axis=0) + 1e-12)
    taken: list[tuple[float, float, float]] = []  # left, right and height of a name
    for place, point, title in zip(places, points, titles, strict=True):
        text = _shortened(title, 30)
        left, right = place[0], place[0] + 0.0085 * len(text)
        if any(left < r and right > x and abs(place[1] - y) < 0.027 for x, r, y in taken):
            continue
        taken.append((left, right, place[1]))
        axes.annotate(text, tuple(point), xytext=(3, 3), textcoords="offset points", fontsize=7.5)
        if len(taken) == NAMED_ITEMS:
            return


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1].rstrip(" ,:(") + "…"
