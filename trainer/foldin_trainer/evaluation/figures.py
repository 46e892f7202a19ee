"""Figures of a data set, a training run and an evaluation, written as PNG without a display.

Each function writes one file from plain arrays; what they mean is computed elsewhere.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from foldin_model.arrays import Doubles, Floats, Integers
from foldin_model.catalog import Catalog, Cluster
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from foldin_trainer.evaluation.scoring import Scores

COLOURS = (
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
ACTIVITY_EDGES = (0, 20, 40, 80, 160, 320)


def draw_learning_curve(
    path: Path, train_loss: Sequence[float], validation_rmse: Sequence[float]
) -> None:
    """Training loss and validation RMSE by epoch, both (epochs,), and where the RMSE is least."""
    epochs = np.arange(1, len(train_loss) + 1)
    kept_epoch = int(np.argmin(validation_rmse)) + 1
    with _figure(path, "Learning curve of the rating head") as axes:
        loss = axes.plot(epochs, train_loss, color=COLOURS[0], label="training loss")
        axes.set_xlabel("epoch")
        axes.set_ylabel("training loss with L2, rating units²", color=COLOURS[0])
        right = axes.twinx()
        right.spines.right.set_visible(True)
        error = right.plot(
            epochs, validation_rmse, color=COLOURS[1], marker="o", ms=3, label="validation RMSE"
        )
        right.set_ylabel("validation RMSE, rating units", color=COLOURS[1])
        right.grid(visible=False)
        kept = axes.axvline(
            kept_epoch, color="0.45", ls="--", lw=1, label=f"best epoch: {kept_epoch}"
        )
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(handles=[*loss, *error, kept], loc="upper right")


def draw_rating_histogram(path: Path, values: Doubles) -> None:
    """How often each rating was given, as a share of all."""
    levels, counts = np.unique(values, return_counts=True)
    shares = counts / counts.sum()
    title = f"How {len(values):,} ratings are distributed (mean {values.mean():.2f})"
    with _figure(path, title) as axes:
        width = 0.8 * float(np.diff(levels).min(initial=1.0))
        bars = axes.bar(levels, shares, width=width, color=COLOURS[0])
        if len(levels) <= 20:
            axes.set_xticks(levels)
            axes.bar_label(bars, [f"{share:.0%}" for share in shares], padding=2, fontsize=9)
        axes.set_xlabel("rating")
        axes.set_ylabel("share of ratings")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.grid(visible=False, axis="x")


def draw_item_map(path: Path, vectors: Floats, catalog: Catalog) -> None:
    """The most rated items in their principal plane, coloured by cluster, the first ones named.

    `vectors` is (n_items, d), best those of similar items. Only directions count: rows are scaled
    to unit length, and weigh in the plane with their number of ratings. The largest clusters have
    a colour of their own.
    """
    drawn = np.argsort(-catalog.rating_counts, kind="stable")[:MAPPED_ITEMS]
    drawn = drawn[catalog.rating_counts[drawn] > 0]
    counts = catalog.rating_counts[drawn]
    points, shares = principal_plane(vectors[drawn], counts.astype(np.float64))
    coloured = _largest_clusters(catalog, drawn)
    colours = dict(zip((cluster.id for cluster in coloured), COLOURS, strict=False))
    title = f"The {len(drawn):,} most rated items by what their users like"
    with _figure(path, title, size=(13.0, 8.0)) as axes:
        axes.scatter(
            points[:, 0],
            points[:, 1],
            s=6.0 + 150.0 * counts / counts.max(),
            c=[colours.get(int(id_), OTHERS) for id_ in catalog.cluster_ids[drawn]],
            alpha=0.6,
            lw=0,
        )
        axes.set_xlim(right=points[:, 0].max() + 0.15 * np.ptp(points[:, 0]))
        _name_points(axes, points, [catalog.titles[row] for row in drawn.tolist()])
        axes.set_xlabel(f"first principal component ({shares[0]:.0%} of the variance)")
        axes.set_ylabel(f"second principal component ({shares[1]:.0%})")
        for cluster in coloured:
            name = f"{cluster.id} {_shortened(cluster.name, 46)}"
            axes.scatter([], [], s=50, lw=0, color=colours[cluster.id], label=name)
        if len(coloured) < len(catalog.clusters):
            axes.scatter([], [], s=50, lw=0, color=OTHERS, label="other clusters")
        axes.legend(title="cluster", loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=8.5)


def draw_activity(path: Path, protocol: str, scores: Sequence[Scores], count: int) -> None:
    """NDCG by the number of ratings that a user gave, one bar a method."""
    groups = [
        (_bin_name(low, high), [_inside(s, low, high) for s in scores])
        for low, high in zip(ACTIVITY_EDGES, (*ACTIVITY_EDGES[1:], None), strict=True)
    ]
    groups = [(name, values) for name, values in groups if len(values[0])]
    width = 0.8 / len(scores)
    with _figure(path, f"NDCG@{count} by user activity · {protocol}", size=(9.0, 5.0)) as axes:
        for place, method in enumerate(scores):
            means = np.array([values[place].mean() for _, values in groups])
            errors = np.array(
                [1.96 * values[place].std() / np.sqrt(len(values[place])) for _, values in groups]
            )
            axes.bar(
                np.arange(len(groups)) + (place - (len(scores) - 1) / 2) * width,
                means,
                width,
                yerr=errors,
                error_kw={"lw": 1, "ecolor": "0.3"},
                color=COLOURS[place % len(COLOURS)],
                label=method.method,
            )
        axes.set_xticks(
            np.arange(len(groups)), [f"{name}\n{len(v[0]):,} users" for name, v in groups]
        )
        axes.set_xlabel("ratings given by the user")
        axes.set_ylabel(f"mean NDCG@{count} (lines: 95% interval)")
        axes.set_ylim(bottom=0.0)
        axes.grid(visible=False, axis="x")
        axes.legend()


def principal_plane(vectors: Floats, weights: Doubles) -> tuple[Doubles, Doubles]:
    """The (n, 2) coordinates of unit-length rows in their principal plane, and its shares.

    Mean and covariance are weighted by `weights` (n,); shares are of that variance, (2,). The
    farthest point of each axis is on its positive side: the same vectors give the same picture.
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
    """The clusters with the most ratings among the drawn items, at most one a colour."""
    ratings = np.bincount(
        catalog.cluster_ids[drawn],
        catalog.rating_counts[drawn],
        minlength=1 + max((cluster.id for cluster in catalog.clusters), default=0),
    )
    by_size = sorted(catalog.clusters, key=lambda cluster: -ratings[cluster.id])
    return [cluster for cluster in by_size[: len(COLOURS)] if ratings[cluster.id] > 0]


@contextmanager
def _figure(path: Path, title: str, size: tuple[float, float] = (7.5, 4.5)) -> Iterator[Axes]:
    """A figure in the house look, written to `path` at the end."""
    figure = Figure(figsize=size, dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=13, fontweight="bold")
    axes.grid(visible=True, color="0.9", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    yield axes
    figure.savefig(path)


def _name_points(axes: Axes, points: Doubles, titles: Sequence[str]) -> None:
    """Names points, most important first, leaving out names that would cover another."""
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


def _inside(scores: Scores, low: int, high: int | None) -> Doubles:
    given: Integers = scores.everything.given
    inside = given >= low if high is None else (given >= low) & (given < high)
    return scores.everything.ndcg[inside]


def _bin_name(low: int, high: int | None) -> str:
    return f"{low} or more" if high is None else f"{low} to {high - 1}"
