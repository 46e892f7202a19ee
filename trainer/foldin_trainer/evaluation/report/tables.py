"""Tables of an evaluation: for a terminal, and as rows of the JSON document.

`comparison` computes intervals and tests; nothing is computed here.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.table import Table

from foldin_trainer.evaluation.fold_in.learning_curve import FoldInCurve
from foldin_trainer.evaluation.outcome import Outcome
from foldin_trainer.metrics.intervals import Interval
from foldin_trainer.metrics.scores import Scores

JsonValue = float | int | str | None
JsonRow = Mapping[str, JsonValue]

STAR_NOTE: Final = "* differs from foldin (5%, Holm)"
BEYOND_ACCURACY: Final = {
    "coverage": "coverage",
    "novelty": "novelty_bits",
    "popular": "mean_popularity",
    "lift": "popularity_lift",
    "Gini": "gini",
    "miscal.": "miscalibration",
    "diverse": "diversity",
}


def rows(outcome: Outcome) -> list[JsonRow]:
    """Returns one row of plain numbers for each method, for JSON; undefined numbers are None.

    Every metric comes with the ends of its interval, `_low` and `_high`.
    """
    return [_row(outcome, scores) for scores in outcome.scores]


def difference_rows(outcome: Outcome) -> list[JsonRow]:
    """Returns foldin's numbers minus those of every other method, for JSON."""
    return [
        {
            "metric": found.metric,
            "method": found.method,
            "difference": finite_or_none(found.interval.estimate),
            "low": finite_or_none(found.interval.low),
            "high": finite_or_none(found.interval.high),
            "p": finite_or_none(found.p),
            "p_holm": finite_or_none(found.p_holm),
            "significant": found.significant,
        }
        for found in outcome.comparison.differences
    ]


def write_json(path: Path, document: Mapping[str, object]) -> None:
    """Writes the document to `path`, indented, keys in order; numbers must be finite."""
    path.write_text(json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def rating_table(outcome: Outcome) -> Table | None:
    """Returns RMSE and MAE of the methods that predict ratings; None if none does."""
    predicting = [scores for scores in outcome.scores if scores.rmse]
    if not predicting:
        return None
    table = _table(f"Predicted ratings · {outcome.protocol}")
    for name in ("RMSE", "95% interval", "MAE", "95% interval"):
        table.add_column(name, justify="right", no_wrap=True)
    for scores in predicting:
        cells = []
        for metric in ("rmse", "mae"):
            found = outcome.comparison.intervals[scores.method][metric]
            cells.append(f"{found.estimate:.4f}{significance_mark(outcome, scores.method, metric)}")
            cells.append(interval_text(found, 4) or "-")
        table.add_row(scores.method, *cells)
    table.caption = STAR_NOTE
    return table


def ranking_table(outcome: Outcome) -> Table:
    """Returns ranking metrics of every method, the best in bold."""
    k = outcome.count
    headings = {
        "Recall": f"recall@{k}",
        "NDCG": f"ndcg@{k}",
        "95% interval": "",
        "MAP": f"map@{k}",
        "liked NDCG": f"liked_ndcg@{k}",
    }
    table = _table(f"Recommended lists, first {k} · {outcome.protocol}")
    table.caption = f"liked: only highly rated items are hits · {STAR_NOTE}\n{outcome.masking}"
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    found = rows(outcome)
    for row in found:
        cells = [
            _cell(outcome, key, row, found)
            if key
            else interval_text(outcome.comparison.intervals[str(row["method"])][f"ndcg@{k}"], 3)
            or "-"
            for key in headings.values()
        ]
        table.add_row(str(row["method"]), *cells)
    return table


def beyond_accuracy_table(outcome: Outcome) -> Table:
    """Returns the metrics beyond accuracy of every method."""
    table = _table(f"Beyond accuracy, first {outcome.count} · {outcome.protocol}")
    table.caption = (
        "novelty: bits of self-information · popular: mean ratings of a listed item\n"
        "lift: over the popularity of what users rated · Gini: inequality of exposure\n"
        f"miscal.: divergence of genres from the history · {STAR_NOTE}"
    )
    for heading in BEYOND_ACCURACY:
        table.add_column(heading, justify="right", no_wrap=True)
    found = rows(outcome)
    for row in found:
        cells = [_cell(outcome, key, row, ()) for key in BEYOND_ACCURACY.values()]
        table.add_row(str(row["method"]), *cells)
    return table


def curve_table(curve: FoldInCurve) -> Table:
    """Returns RMSE by method and number of ratings folded in, with the gap to a retrain below."""
    table = _table("Fold-in of new users · RMSE by ratings given")
    for point in curve.points:
        table.add_column(f"{point.ratings}", justify="right", no_wrap=True)
    for name in dict.fromkeys(name for p in curve.points for name in p.comparison.intervals):
        cells = []
        for point in curve.points:
            apart = point.comparison.difference(name, "rmse")
            star = "*" if apart is not None and apart.significant else ""
            cells.append(f"{point.estimate(name):.4f}{star}")
        table.add_row(name, *cells)
    table.add_section()
    table.add_row("gap to the better retrain", *(f"{p.gap:+.4f}" for p in curve.points))
    table.add_row("users asked", *(f"{p.users:,}" for p in curve.points))
    table.caption = "* differs from fold-in by three steps (5%, Holm)"
    return table


def significance_mark(outcome: Outcome, method: str, metric: str) -> str:
    """Returns a star if the method differs significantly from foldin, else nothing."""
    found = outcome.comparison.difference(method, metric)
    return "*" if found is not None and found.significant else ""


def finite_or_none(value: float) -> float | None:
    """Returns the value, or None if it is not finite, which JSON cannot express."""
    return value if math.isfinite(value) else None


def interval_text(interval: Interval, places: int) -> str:
    """Returns the ends of an interval as text; empty if it has none."""
    ends = (interval.low, interval.high)
    return " to ".join(f"{end:.{places}f}" for end in ends) if all(map(math.isfinite, ends)) else ""


def interval_row(interval: Interval) -> dict[str, JsonValue]:
    """Returns an interval as plain numbers by name."""
    return {name: finite_or_none(value) for name, value in asdict(interval).items()}


def _table(title: str) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        caption_justify="left",
        box=SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    table.add_column("method", no_wrap=True)
    return table


def _row(outcome: Outcome, scores: Scores) -> JsonRow:
    row: dict[str, JsonValue] = {
        "protocol": outcome.protocol,
        "method": scores.method,
        "trials": len(scores.listed),
        "rmse": None,
        "mae": None,
        "users": len(scores.everything.user_ids),
        "liked_users": len(scores.liked.user_ids),
    }
    for metric, interval in outcome.comparison.intervals[scores.method].items():
        row[metric] = finite_or_none(interval.estimate)
        row[f"{metric}_low"] = finite_or_none(interval.low)
        row[f"{metric}_high"] = finite_or_none(interval.high)
    return row


def _cell(outcome: Outcome, key: str, row: JsonRow, ranked: Sequence[JsonRow]) -> str:
    value = row[key]
    if not isinstance(value, float):
        return "-"
    digits = 1 if key in {"mean_popularity", "novelty_bits"} else 3
    text = f"{value:.{digits}f}{significance_mark(outcome, str(row['method']), key)}"
    others = [other for other in (r[key] for r in ranked) if isinstance(other, float)]
    return f"[bold]{text}[/bold]" if others and value == max(others) else text
