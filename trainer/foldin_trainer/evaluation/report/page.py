"""The HTML report: one file that names nothing outside itself, for light and dark screens.

Everything that comes from data is escaped; figures are SVG in the page. The numbers are those of
the JSON document.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final

from foldin_trainer.evaluation.evaluation_run import Evaluation
from foldin_trainer.evaluation.fold_in.learning_curve import NONE, STEPS, FoldInCurve
from foldin_trainer.evaluation.outcome import Outcome
from foldin_trainer.evaluation.report.canvas import Drawing
from foldin_trainer.evaluation.report.document import INTERVALS
from foldin_trainer.evaluation.report.stylesheet import STYLE
from foldin_trainer.evaluation.report.summary import summary_of_curve, summary_of_outcome
from foldin_trainer.evaluation.report.tables import mark, reach
from foldin_trainer.metrics.comparison import LEVEL
from foldin_trainer.metrics.intervals import Interval

ACCURACY: Final = ("rmse", "mae", "recall@{k}", "ndcg@{k}", "map@{k}", "liked_ndcg@{k}")
BEYOND: Final = {
    "coverage": "coverage",
    "novelty_bits": "novelty, bits",
    "mean_popularity": "popularity",
    "popularity_lift": "popularity lift",
    "gini": "Gini",
    "miscalibration": "miscalibration",
    "diversity": "diversity",
}
EXPLAINED: Final = (
    "Coverage: share of the catalogue in anybody's list. Novelty: mean self-information of a "
    "recommended item. Popularity: its mean number of training ratings; lift: how much more that "
    "is than of the items users rated. Gini: inequality of exposure, 0 is even. Miscalibration: "
    "divergence of a list's genres from those of the user's history, 0 is the same. Diversity: "
    "mean distance in genres of two items of a list, 1 is nothing shared."
)


def page(evaluation: Evaluation, document: Mapping[str, object], figures: Sequence[Drawing]) -> str:
    """The whole page."""
    name = evaluation.dataset.report.name
    ratings = evaluation.dataset.ratings
    about = (
        f"{len(ratings):,} ratings of {len(ratings.item_ids):,} items by "
        f"{len(ratings.user_ids):,} users, model {evaluation.trained.settings.method}, "
        f"seed {evaluation.settings.seed}. Intervals: {INTERVALS}"
    )
    parts = [f"<h1>Evaluation · {escape(name)}</h1>", f'<p class="small">{escape(about)}</p>']
    parts += [f'<p class="small">{escape(note)}</p>' for note in evaluation.notes]
    shown: set[str] = set()
    for outcome in evaluation.outcomes:
        own = [figure for figure in figures if figure.name.endswith(f"_{outcome.protocol}")]
        shown |= {figure.name for figure in own}
        parts += _outcome(outcome, own)
    if evaluation.curve is not None:
        own = [figure for figure in figures if figure.name == "fold_in"]
        shown |= {figure.name for figure in own}
        parts += _curve(evaluation.curve, own)
    parts.append("<h2>Data and training</h2>")
    parts += [_figure(figure) for figure in figures if figure.name not in shown]
    parts += _settings(document)
    title = escape(f"foldin evaluation, {name}")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _outcome(outcome: Outcome, figures: Sequence[Drawing]) -> list[str]:
    k = outcome.count
    metrics = [metric.format(k=k) for metric in ACCURACY]
    first = {metric: metric.replace("_", " ") for metric in metrics}
    labels = {metric: _heading(label) for metric, label in first.items()}
    notes = " ".join((outcome.masking, *outcome.remarks))
    return [
        f"<h2>{escape(outcome.protocol)}</h2>",
        f'<p class="summary">{escape(summary_of_outcome(outcome))}</p>',
        f'<p class="small">{escape(notes)} Trained and scored in {outcome.seconds:,.0f} s.</p>',
        _table(outcome, labels, f"Accuracy, first {k} items. {_starred('foldin')}"),
        _table(outcome, BEYOND, f"{EXPLAINED} {_starred('foldin')}"),
        *(_figure(figure) for figure in figures),
    ]


def _table(outcome: Outcome, metrics: Mapping[str, str], caption: str) -> str:
    intervals = outcome.comparison.intervals
    there = [m for m in metrics if any(m in own for own in intervals.values())]
    rows = [["method", *(metrics[metric] for metric in there)]]
    for method, own in intervals.items():
        cells = [_cell(own.get(m), mark(outcome, method, m)) for m in there]
        rows.append([escape(method), *cells])
    return _markup(rows, caption, ours="foldin")


def _curve(curve: FoldInCurve, figures: Sequence[Drawing]) -> list[str]:
    names = list(dict.fromkeys(n for point in curve.points for n in point.comparison.intervals))
    about = (
        f"Users of one of {curve.folds} folds are held out; their first ratings in time are folded "
        "in, or everything is trained again with them, and all methods predict what they rated "
        "after the first twenty (or after those given). The shrinkage of fold-in and of the full "
        "retrain is tuned alike on users inside the training part; so are ridge "
        f"(λ = {curve.plain.ridge:g}) and SGD (rate {curve.plain.rate:g}). {curve.seconds:,.0f} s."
    )
    parts = [
        "<h2>fold-in</h2>",
        f'<p class="summary">{escape(summary_of_curve(curve.points))}</p>',
        f'<p class="small">{escape(about)}</p>',
        *(_figure(figure) for figure in figures),
    ]
    for metric, label in (("rmse", "RMSE"), (f"ndcg@{curve.count}", f"NDCG@{curve.count}")):
        rows = [["method", *(f"{point.ratings} ratings" for point in curve.points)]]
        for name in names:
            found = [point.comparison.intervals[name].get(metric) for point in curve.points]
            if not any(found):
                continue
            cells = []
            for point, interval in zip(curve.points, found, strict=True):
                apart = point.comparison.difference(name, metric)
                cells.append(_cell(interval, "*" if apart and apart.significant else "", digits=4))
            rows.append([escape(name), *cells])
        users = ", ".join(f"{point.users:,}" for point in curve.points)
        caption = f"{label} of {users} users. {_starred(STEPS)}"
        if metric == "rmse":
            gaps = ", ".join(f"{point.gap:+.4f}" for point in curve.points)
            caption += f" Three steps minus the better full retrain: {gaps}. {NONE}: the mean user."
        parts.append(_markup(rows, caption, ours=STEPS))
    return parts


def _markup(rows: Sequence[Sequence[str]], caption: str, *, ours: str) -> str:
    """A table whose cells are markup already."""
    head = "".join(f'<th scope="col">{cell}</th>' for cell in rows[0])
    kinds = [' class="ours"' if row[0] == escape(ours) else "" for row in rows[1:]]
    body = "\n".join(
        f"<tr{kind}>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
        for kind, row in zip(kinds, rows[1:], strict=True)
    )
    return (
        f'<div class="wide"><table><caption>{escape(caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def _cell(interval: Interval | None, star: str, *, digits: int | None = None) -> str:
    if interval is None or not math.isfinite(interval.estimate):
        return "–"
    places = digits if digits is not None else 4 if abs(interval.estimate) < 1 else 2
    ends = reach(interval, places)
    return f"{interval.estimate:.{places}f}{star}" + (f"<span>{ends}</span>" if ends else "")


def _figure(figure: Drawing) -> str:
    caption = f"<figcaption>{escape(figure.alt)}</figcaption>"
    return f"<figure><h3>{escape(figure.title)}</h3>\n{figure.svg()}\n{caption}</figure>"


def _settings(document: Mapping[str, object]) -> list[str]:
    names = ("data", "seed", "method", "protocol_settings", "train_settings", "libraries")
    parts = ["<h2>How to repeat it</h2>"]
    for name in names:
        value = document[name]
        if isinstance(value, Mapping):
            parts.append(f"<h3>{escape(name.replace('_', ' '))}</h3>")
            parts.append(_facts(value.items()))
        else:
            parts.append(_facts([(name, value)]))
    return parts


def _facts(pairs: Iterable[tuple[object, object]]) -> str:
    found = "".join(
        f"<dt>{escape(str(key))}</dt><dd>{escape(_shown(value))}</dd>" for key, value in pairs
    )
    return f"<dl>{found}</dl>"


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _heading(metric: str) -> str:
    return escape(
        metric.replace("rmse", "RMSE")
        .replace("mae", "MAE")
        .replace("ndcg", "NDCG")
        .replace("map@", "MAP@")
    )


def _starred(ours: str) -> str:
    return f"* differs from {ours} ({LEVEL:.0%}, Holm)."
