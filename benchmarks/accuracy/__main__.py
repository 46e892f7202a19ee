"""The accuracy tables: `python -m benchmarks.accuracy`, on ml-latest-small and ml-100k.

Prints them and writes benchmarks/results/accuracy.json. All scores are those of the vectors as
served; references are tuned in the same run on users inside the training part.
"""

import json
import os
import platform
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # parts run side by side, one thread each
os.environ.setdefault("TQDM_DISABLE", "1")  # libraries draw bars of their own

import click
from foldin_model.errors import FoldinError
from foldin_model.store.location import default_data_dir
from foldin_trainer.data.downloads.movielens import fetch
from rich.console import Console

from benchmarks.accuracy.findings import Row, bars_of, table_of
from benchmarks.accuracy.tasks import PARTS, Task

DATA = ("ml-latest-small", "ml-100k")
RESULTS = Path(__file__).parents[1] / "results" / "accuracy.json"
LIBRARIES = ("numpy", "torch", "implicit", "myfm", "scikit-surprise")


@click.command()
@click.option("--data", "names", multiple=True, default=DATA, show_default=True)
@click.option("--only", multiple=True, type=click.Choice(list(PARTS)), help="These parts.")
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="Processes.")
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def main(names: tuple[str, ...], only: tuple[str, ...], jobs: int, out: Path) -> None:
    """Run every table and write the results."""
    for name in names:
        _fetch(name)
    console, started = Console(width=150), time.time()
    tasks = [Task(part, name) for part in only or PARTS for name in names]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        findings = [done.result() for done in [pool.submit(task.run) for task in tasks]]
    measured: dict[str, list[float]] = defaultdict(list)
    for found in findings:
        found.show(console)
        for bar, figure in found.measured.items():
            measured[bar].append(figure)
    limits: list[Row] = [row for found in findings for row in found.limits]
    bars = bars_of(measured)
    for title, shown in (("limits", limits), ("bars", bars)):
        if shown:
            console.print(table_of(title, [{k: r[k] for k in r if k != "bar"} for r in shown]))
    document = {
        "command": "make bench-accuracy",
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs",
        "seconds": round(time.time() - started),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in LIBRARIES},
        "settings": {name: settings.flat() for name, (_, settings) in PARTS.items()},
        "rows": [
            *(row for found in findings for row in found.rows),
            *({"table": "limits", **row} for row in limits),
        ],
        "bars": bars,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n")
    console.print(f"written: {out}")


def _fetch(name: str) -> None:
    """Fetches the data set. Raises ClickException where it cannot be had, or only a substitute."""
    try:
        there = fetch(name, default_data_dir(), say=click.echo)
    except FoldinError as error:
        raise click.ClickException(str(error)) from error
    if there.name != name:
        remedy = f"get {name} with `foldin data fetch {name} --from ZIP`"
        raise click.ClickException(f"{there.name} is no substitute here; {remedy}")


if __name__ == "__main__":
    main()
