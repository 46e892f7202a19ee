"""Measures a million items: time of a search, memory of a process, time to the first answer.

Prints tables and writes benchmarks/results/index.json. Search is measured in this process; memory
and start in further ones, which map one published model as the server's workers do, but answer
without RPC.
"""

import json
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryDirectory
from time import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import click
import numpy as np
from foldin_model.arrays import Doubles
from foldin_model.commands.index_comparison import EXACT, KINDS, Measured, measure, trained_like
from foldin_model.fold_in.head import RatingRule
from foldin_model.ids import ItemId, Version
from foldin_model.lifecycle import installation, publisher
from foldin_model.lifecycle.publisher import Description
from foldin_model.scale import Scale
from foldin_model.store.opening import open_memory_models
from foldin_model.trained.catalog import Catalog, Cluster
from foldin_model.trained.model import Model
from foldin_model.trained.trained_users import TrainedUsers

WORKER = Path(__file__).with_name("index_worker.py")
RESULTS = Path(__file__).parent / "results" / "index.json"
DIMENSION = 64
QUERIES = 30
STARTS = 5
GENRES = ("Action", "Comedy", "Documentary", "Drama", "Horror", "Romance", "Thriller", "Western")
WORDS = 20_000


def million_model(items: int) -> Model:
    """Returns a made model: vectors like trained ones, titles of three words and a number."""
    rng = np.random.default_rng(0)
    vectors = trained_like(items, DIMENSION, 0)
    similarity = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    words = rng.integers(0, WORDS, (items, 3)).tolist()
    genres = rng.integers(0, len(GENRES), (items, 2)).tolist()
    catalog = Catalog(
        item_ids=tuple(ItemId(f"item-{row}") for row in range(items)),
        titles=tuple(f"Word{a} word{b} word{c} {row}" for row, (a, b, c) in enumerate(words)),
        genres=tuple(tuple(dict.fromkeys((GENRES[a], GENRES[b]))) for a, b in genres),
        years=tuple(1950 + row % 75 for row in range(items)),
        rating_counts=rng.zipf(1.5, items).clip(1, 10**6).astype(np.int64),
        rating_means=rng.uniform(1, 5, items).astype(np.float32),
        cluster_ids=np.ones(items, np.int32),
        clusters=(Cluster(1, "Everything", (), items),),
    )
    head = DIMENSION // 2
    return Model(
        catalog=catalog,
        items=vectors,
        similarity=similarity,
        scale=Scale(0.5, 5.0),
        rating_mean=3.5,
        rating_weight=1.0,
        ranking_prior=rng.normal(size=head),
        rating_prior=rng.normal(size=DIMENSION - head - 1),
        ranking_rule=RatingRule((0.5, 5.0), (1.0, 2.0), (0.0, 1.0)),
    )


def install(items: int, directory: Path) -> Path:
    """Returns the folder of that model, published and installed like any other."""
    model = million_model(items)
    no_users = np.zeros((0, 1), np.float32)
    users = TrainedUsers(
        (), no_users, no_users, no_users, no_users, np.zeros(0, np.uint64), np.zeros(0, np.int64)
    )
    store = open_memory_models()
    about = Description("synthetic", 0, 0, "", {}, {})
    manifest = publisher.publish(model, users, about, store, golden=4)
    return installation.install(store, Version(manifest.version), directory)


@contextmanager
def workers(folder: str, count: int) -> Iterator[list["Popen[str]"]]:
    """Runs `count` further processes until the context ends."""
    command = [sys.executable, str(WORKER), folder]
    running = [Popen(command, stdin=PIPE, stdout=PIPE, text=True) for _ in range(count)]
    try:
        yield running
    finally:
        for process in running:
            process.communicate()


def read(process: "Popen[str]") -> dict[str, float]:
    """Returns the next line of a worker."""
    if process.stdout is None:
        raise RuntimeError("the worker has no output")
    line: dict[str, float] = json.loads(process.stdout.readline())
    return line


def start(folder: str) -> dict[str, float]:
    """Returns the seconds from start to first answer of a process: wall clock and processor."""
    started = time()
    with workers(folder, 1) as (process,):
        figures = read(process)
    return {"seconds": figures["first"] - started, "cpu_seconds": figures["cpu"]}


def settled_private_bytes(folder: str, count: int) -> list[float]:
    """Returns the private bytes of each of `count` processes while all are at work."""
    with workers(folder, count) as running:
        for process in running:
            read(process)
        held = []
        for process in running:
            if process.stdin is None:
                raise RuntimeError("the worker has no input")
            process.stdin.write("\n")
            process.stdin.flush()
            held.append(read(process)["private"])
            # All must live until all are read: shared pages become private to the last one.
        return held


def search_rows(sizes: Sequence[int], alternatives_up_to: int) -> list[Measured]:
    """Returns all kinds of index, by name."""
    measured = []
    for size in sizes:
        vectors = trained_like(size, DIMENSION, 0)
        queries: Doubles = np.random.default_rng(1).standard_normal((QUERIES, DIMENSION))
        kinds = [*KINDS] if size <= alternatives_up_to else [*EXACT, "half"]
        measured += measure(vectors, queries.astype(np.float32), kinds)
    return measured


def bar(name: str, text: str, must: float, aim: float, measured: float) -> dict[str, object]:
    """Returns a bar as results files have it; lower is better for all of these."""
    return {
        "id": name, "bar": text, "must": must, "aim": aim, "measured": measured, "better": "lower",
    }  # fmt: skip


@click.command()
@click.option("--items", default=1_000_000, show_default=True, help="In the large catalog.")
@click.option("--alternatives-up-to", default=100_000, show_default=True)
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def main(items: int, alternatives_up_to: int, results: Path) -> None:
    """Measure the index and write the results."""
    rows = search_rows(sorted({10_000, 100_000, items}), alternatives_up_to)
    print(f"{'items':>9} {'index':>7} {'recall@10':>10} {'µs':>9} {'own MB':>8} {'built s':>8}")
    for row in rows:
        print(
            f"{row.rows:>9,} {row.kind:>7} {row.recall_at_10:>10.3f} {row.latency_us:>9,.0f} "
            f"{row.memory_bytes / 1e6:>8.1f} {row.build_s:>8.2f}"
        )
    with TemporaryDirectory(prefix="foldin-bench-") as directory:
        folder = str(install(items, Path(directory)))
        model_bytes = (Path(folder) / "model.bin").stat().st_size
        starts = [start(folder) for _ in range(STARTS)]
        (without,) = settled_private_bytes("", 1)
        further = settled_private_bytes(folder, 3)[1]
    quickest = min(one["seconds"] for one in starts)
    of = {row.kind: row.latency_us for row in rows if row.rows == items}
    bars = [
        bar("index.1m", "pruned against IndexFlatIP, latency", 1 / 12, 1 / 30,
            of["pruned"] / of["flat"]),
        bar("index.memory", "private bytes of a further process, share of the model's",
            0.05, 0.02, (further - without) / model_bytes),
        bar("index.start", "seconds from start to first answer, quickest", 2.0, 0.5, quickest),
    ]  # fmt: skip
    for one in bars:
        print(
            f"{one['id']:>14} {one['measured']:.4f}  (must {one['must']:.4f}, aim {one['aim']:.4f})"
        )
    report = {
        "command": "make bench-index",
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs",
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in ("faiss-cpu", "numpy")},
        "rows": [asdict(row) for row in rows],
        "model_bytes": model_bytes,
        "private_bytes": {"without a model": without, "further": further},
        "starts": starts,
        "bars": bars,
    }
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(report, indent=1) + "\n")
    print(f"written to {results}")


if __name__ == "__main__":
    main()
