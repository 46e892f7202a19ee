"""`foldin tune`: searches for the settings of a method that do best on held-out ratings."""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import click
from foldin_model.errors import FoldinError

from foldin_trainer.commands.options.data_source import Source, takes_source
from foldin_trainer.commands.options.heads import OneName
from foldin_trainer.commands.options.numbers import SEED, FiniteRange
from foldin_trainer.commands.output import print_facts, print_json, printing_errors, say
from foldin_trainer.tuning.objectives import Metric, lower_is_better, method_names, tunable
from foldin_trainer.tuning.settings import KEY
from foldin_trainer.tuning.studies import Found, Search, Step, search

METRICS: Mapping[Metric, str] = {
    "rmse": "RMSE",
    "ndcg": "NDCG@10",
    "ndcg-liked": "NDCG@10 of liked items",
}


@click.command()
@takes_source
@click.option(
    "--method",
    type=OneName(method_names),
    required=True,
    help="A head, measured as it is served, or a reference.",
)
@click.option(
    "--metric",
    type=click.Choice(list(METRICS)),
    help="What to optimize.  [default: rmse for rating heads, else ndcg]",
)
@click.option(
    "--trials",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="Settings to try, including those of earlier calls.",
)
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes.")
@click.option("--timeout", "timeout_s", type=FiniteRange(0), help="Most seconds.")
@click.option(
    "--folds",
    type=click.IntRange(2),
    default=3,
    show_default=True,
    help="Folds of a trial; a poor one is cut short after any of them.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of folds and search.")
@click.option(
    "--journal",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of the trials.  [default: tuning/METHOD-SOURCE.journal in --data-dir]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for the best settings.  [default: beside the journal, JOURNAL-METRIC-KEY.json; "
    "KEY depends on data, method, folds and seed]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@printing_errors
def tune(
    source: Source,
    *,
    method: str,
    metric: Metric | None,
    trials: int,
    jobs: int,
    timeout_s: float | None,
    folds: int,
    seed: int,
    journal: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Search for the settings of a method that do best on SOURCE.

    Every trial is measured on folds of SOURCE. An interrupted search continues when the command is
    called again. `foldin train --settings FILE` trains with the settings that were found.
    """
    metric = _checked(method, metric)
    name = Path(source.name).stem
    journal = journal or source.data_dir / "tuning" / f"{method}-{name}.journal"
    wanted = Search(method, metric, journal, trials, folds, seed, timeout_s)
    found = search(wanted, source.load, jobs, partial(_print_step, metric))
    if found is None:
        raise FoldinError(f"no trial was finished in {timeout_s} s; give it a longer --timeout")
    out = out or journal.with_name(f"{journal.stem}-{metric}-{found.key}.json")
    document = _document(wanted, found)
    _write(out, document)
    if as_json:
        print_json(document)
        return
    print_facts(
        {name: f"{value:.4g}" for name, value in found.values.items()}
        | {
            METRICS[metric]: f"{found.figure:.4f}",
            "trials": f"{found.finished} ({found.pruned} cut short)",
            "written": str(out),
        }
    )


def _checked(method: str, metric: Metric | None) -> Metric:
    """Returns the metric, by default the usual one. Raises UsageError if the method lacks it."""
    metrics = tunable(method).metrics
    if metric is not None and metric not in metrics:
        raise click.UsageError(f"{method} is measured by {' or '.join(metrics)}, not by {metric}.")
    return metric or metrics[0]


def _print_step(metric: Metric, step: Step) -> None:
    figure = "cut short" if step.figure is None else f"{METRICS[metric]} {step.figure:.4f}"
    best = "" if step.best is None else f" (best {step.best:.4f})"
    say(f"trial {step.number}: {figure}{best}")


def _document(wanted: Search, found: Found) -> dict[str, object]:
    return {
        "method": wanted.method,
        "metric": wanted.metric,
        "better": "lower" if lower_is_better(wanted.metric) else "higher",
        "figure": found.figure,
        "trials": found.finished,
        "pruned": found.pruned,
        "folds": wanted.folds,
        "seed": wanted.seed,
        KEY: dict(found.values),
    }


def _write(path: Path, document: Mapping[str, object]) -> None:
    """Writes the whole file, or leaves the old one."""
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
        part.replace(path)
    except OSError as failure:
        raise FoldinError(f"{path} can't be written: {failure}; give another --out") from failure
