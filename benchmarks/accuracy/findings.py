"""`Findings`: rows of tables, figures for the bars, and limits, of a part of the benchmark."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from foldin_trainer.evaluation.report.tables import JsonValue
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

Row = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure that foldin must reach, and the one that it aims at."""

    id: str
    bar: str
    must: float
    aim: float
    better: str


BARS = (
    Bar("accuracy.rmse.ml-100k", "RMSE, ML-100K, 5 folds", 0.8705, 0.8660, "lower"),
    Bar("accuracy.rmse.ml-latest-small", "RMSE, ml-latest-small, 5 folds", 0.7955, 0.7890, "lower"),
    *(
        Bar(
            f"accuracy.ndcg.{data}.{target}",
            f"NDCG@10 over the better of EASE and implicit ALS, {data}, {which} ratings, times",
            1.0,
            aim,
            "higher",
        )
        for data in ("ml-latest-small", "ml-100k")
        for target, which, aim in (("all", "all held-out", 1.04), ("liked", "liked", 1.06))
    ),
    Bar("accuracy.cold", "NDCG@10 among cold items over popularity of genre, times", 1.5, 2.0,
        "higher"),
    Bar("accuracy.foldin", "fold-in minus tuned full retrain, 1-20 ratings, three steps, RMSE",
        0.002, 0.0, "lower"),
    Bar("accuracy.bayes_time", "a bayes sweep over one of myFM's, ML-100K, same K and features",
        1.0, 0.3, "lower"),
    Bar("accuracy.ials_time", "an iALS sweep over one of implicit's, d = 64, same data, one thread",
        1.0, 0.7, "lower"),
)  # fmt: skip


@dataclass(slots=True)
class Findings:
    """Findings on one data set. `measured` has the ids of `BARS`; `limits` are further ones."""

    data: str
    rows: list[Row] = field(default_factory=list)
    measured: dict[str, float] = field(default_factory=dict)
    limits: list[Row] = field(default_factory=list)

    def add(self, table: str, found: Sequence[Mapping[str, JsonValue]]) -> None:
        """Adds rows to a table."""
        self.rows += [{"data": self.data, "table": table, **row} for row in found]

    def limit(self, what: str, how: str, limit: float, measured: float) -> None:
        """Adds a limit that every release must keep."""
        row: Row = {"data": self.data, "what": what, "limit": f"{how} {limit:g}"}
        self.limits.append(row | {"measured": measured})

    def show(self, console: Console) -> None:
        """Prints every table."""
        tables = dict.fromkeys(str(row["table"]) for row in self.rows)
        for name in tables:
            shown = [
                {key: value for key, value in row.items() if key not in {"data", "table"}}
                for row in self.rows
                if row["table"] == name
            ]
            console.print(table_of(f"{self.data} · {name}", shown))


def bars_of(measured: Mapping[str, Sequence[float]]) -> list[Row]:
    """Returns the measured bars; of several figures for one bar the worst counts."""
    rows: list[Row] = []
    for bar in BARS:
        if bar.id in measured:
            worst = max if bar.better == "lower" else min
            rows.append(asdict(bar) | {"measured": worst(measured[bar.id])})
    return rows


def table_of(title: str, found: Sequence[Row]) -> Table:
    """Returns the rows as a table with the columns of the first row."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for name in found[0]:
        number = isinstance(found[0][name], int | float)
        table.add_column(name.replace("_", " "), justify="right" if number else "left")
    for row in found:
        table.add_row(*(_cell(value) for value in row.values()))
    return table


def _cell(value: JsonValue) -> str:
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 10 else f"{value:.1f}"
    return "-" if value is None else str(value)
