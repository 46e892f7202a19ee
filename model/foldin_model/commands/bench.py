"""The commands `foldin bench`: measure parts of the model on this machine; nothing is stored."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from foldin_model.commands.index_comparison import EXACT, KINDS, Measured, measure, trained_like
from foldin_model.index.bounds import kind_for


@click.group()
def bench() -> None:
    """Measure parts of the model on this machine."""


@bench.command()
@click.option(
    "--rows",
    type=click.IntRange(min=100),
    multiple=True,
    default=(10_000, 100_000, 1_000_000),
    help="Items in the catalog. May be given several times.",
)
@click.option(
    "--dimension",
    type=click.IntRange(2, 2_048),
    default=64,
    show_default=True,
    help="Length of a vector.",
)
@click.option(
    "--queries",
    type=click.IntRange(1, 1_000),
    default=20,
    show_default=True,
    help="Number of queries.",
)
@click.option(
    "--kind",
    "kinds",
    type=click.Choice([*KINDS]),
    multiple=True,
    default=EXACT,
    help="Kind of index; by default the exact ones. May be given several times. hnsw takes minutes "
    "to build.",
)
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Seed of the random vectors and queries.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def index(
    rows: Sequence[int],
    dimension: int,
    queries: int,
    kinds: Sequence[str],
    seed: int,
    *,
    as_json: bool,
) -> None:
    """Compare kinds of index: recall of the best ten, time of a query, memory."""
    measured: list[Measured] = []
    for count in rows:
        vectors = trained_like(count, dimension, seed)
        asked = np.random.default_rng(seed + 1).standard_normal((queries, dimension))
        measured += measure(vectors, asked.astype(np.float32), kinds)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in measured], indent=1))
        return
    table = Table("items", "index", "recall@10", "µs a query", "own MB", "built in s", "chosen")
    for one in measured:
        table.add_row(
            f"{one.rows:,}",
            one.kind,
            f"{one.recall_at_10:.3f}",
            f"{one.latency_us:,.0f}",
            f"{one.memory_bytes / 1e6:,.1f}",
            f"{one.build_s:.2f}",
            "yes" if one.kind == kind_for(one.rows) else "",
        )
    Console().print(table)
