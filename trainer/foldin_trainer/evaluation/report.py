"""An evaluation as people and machines read it: rich tables, and one JSON document.

Nothing is computed here but means over users and trials.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from foldin_model.arrays import Doubles
from rich.box import SIMPLE_HEAD
from rich.table import Table

from foldin_trainer.evaluation.intervals import Interval, mean_interval
from foldin_trainer.evaluation.scoring import Ranked, Scores

Value = float | int | str | None
Row = Mapping[str, Value]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What one protocol gave, `count` items a list; `seconds` of wall clock with all training."""

    protocol: str
    count: int
    seconds: float
    scores: tuple[Scores, ...]


def rows(outcome: Outcome) -> list[Row]:
    """One row of plain numbers a method, for JSON; what is undefined is None."""
    return [_row(outcome, scores) for scores in outcome.scores]


def write_json(path: Path, document: Mapping[str, object]) -> None:
    """`path` holds the document, indented, keys in their order, numbers finite."""
    path.write_text(json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def rating_table(outcome: Outcome) -> Table | None:
    """RMSE and MAE of the methods that predict ratings; None where none does."""
    predicting = [scores for scores in outcome.scores if scores.rmse]
    if not predicting:
        return None
    table = _table(f"Predicted ratings · {outcome.protocol}")
    for name in ("RMSE", "MAE"):
        table.add_column(name, justify="right")
    for scores in predicting:
        table.add_row(scores.method, _over_trials(scores.rmse), _over_trials(scores.mae))
    return table


def ranking_table(outcome: Outcome) -> Table:
    """Ranking and catalogue metrics of every method; the most accurate in bold."""
    k = outcome.count
    headings = {
        "Recall": f"recall@{k}",
        "NDCG": f"ndcg@{k}",
        "MAP": f"map@{k}",
        "liked": f"liked_ndcg@{k}",
        "coverage": "coverage",
        "novelty": "novelty_bits",
        "popularity": "mean_popularity",
        "Gini": "gini",
    }
    table = _table(f"Recommended lists, first {k} · {outcome.protocol}")
    table.caption = (
        "liked: NDCG where only highly rated items are hits · novelty: bits of self-information\n"
        "popularity: mean ratings of a recommended item · Gini: inequality of exposure"
    )
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    found = rows(outcome)
    for row in found:
        cells = [_cell(key, row, found) for key in headings.values()]
        table.add_row(str(row["method"]), *cells)
    return table


def finite(value: float) -> float | None:
    """The value, or None where JSON has no number for it."""
    return value if math.isfinite(value) else None


def interval_row(interval: Interval) -> dict[str, Value]:
    """An interval as plain numbers."""
    return {name: finite(value) for name, value in asdict(interval).items()}


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


def _row(outcome: Outcome, scores: Scores) -> Row:
    k = outcome.count
    spread = [asdict(entry) for entry in scores.spread]
    return {
        "protocol": outcome.protocol,
        "method": scores.method,
        "trials": len(scores.spread),
        "rmse": _mean(scores.rmse),
        "mae": _mean(scores.mae),
        "users": len(scores.everything.user_ids),
        **_ranked_row("", k, scores.everything),
        "liked_users": len(scores.liked.user_ids),
        **_ranked_row("liked_", k, scores.liked),
        **{name: _mean([entry[name] for entry in spread]) for name in spread[0]},
    }


def _ranked_row(prefix: str, k: int, ranked: Ranked) -> dict[str, Value]:
    row: dict[str, Value] = {
        f"{prefix}recall@{k}": _mean(ranked.recall),
        f"{prefix}ndcg@{k}": _mean(ranked.ndcg),
        f"{prefix}map@{k}": _mean(ranked.average_precision),
    }
    if len(ranked.ndcg):
        interval = mean_interval(ranked.ndcg)
        row[f"{prefix}ndcg@{k}_low"] = interval.low
        row[f"{prefix}ndcg@{k}_high"] = interval.high
    return row


def _mean(values: Sequence[float] | Doubles) -> float | None:
    return finite(float(np.mean(values))) if len(values) else None


def _over_trials(errors: Sequence[float]) -> str:
    if len(errors) == 1:
        return f"{errors[0]:.4f}"
    return f"{np.mean(errors):.4f} ± {np.std(errors):.4f}"


def _cell(key: str, row: Row, all_rows: Sequence[Row]) -> str:
    value = row[key]
    if not isinstance(value, float):
        return "-"
    text = f"{value:.3f}"
    if key in {"mean_popularity", "novelty_bits"}:
        text = f"{value:.1f}"
    accuracy = key not in {"novelty_bits", "mean_popularity", "gini", "coverage"}
    best = accuracy and value == max(
        other for other in (r[key] for r in all_rows) if isinstance(other, float)
    )
    return f"[bold]{text}[/bold]" if best else text
