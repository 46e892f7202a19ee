"""`foldin evaluate`: trains on parts of a data set and measures predictions of the rest."""

import json
from dataclasses import replace
from pathlib import Path
from typing import get_args

import click
from click.core import ParameterSource
from rich.console import Console

from foldin_trainer.commands.options.data_source import Source, takes_source
from foldin_trainer.commands.options.heads import takes_heads
from foldin_trainer.commands.options.numbers import DIMENSION, SEED, FiniteRange
from foldin_trainer.commands.output import printing_errors, say
from foldin_trainer.data import Dataset
from foldin_trainer.evaluation.evaluation_run import BASELINES, METHODS, Evaluation, Plan
from foldin_trainer.evaluation.evaluation_run import evaluate as run
from foldin_trainer.evaluation.protocols.given_split import GivenSplit, SplitFiles, load_split
from foldin_trainer.evaluation.protocols.trials import (
    FOLD_IN,
    GIVEN,
    OPTION_PROTOCOLS,
    PROTOCOLS,
    ProtocolSettings,
)
from foldin_trainer.evaluation.report.report_folder import write_report
from foldin_trainer.evaluation.report.tables import (
    beyond_accuracy_table,
    curve_table,
    ranking_table,
    rating_table,
)
from foldin_trainer.learning.devices import DeviceName, choose_device
from foldin_trainer.learning.train_settings import TrainSettings

DEFAULTS = ProtocolSettings()
WIDTH = 100  # of tables that go to a file
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@takes_source
@click.option(
    "--protocol",
    "protocols",
    multiple=True,
    type=click.Choice((*PROTOCOLS, FOLD_IN, GIVEN)),
    help="How ratings are held out; may be repeated.  [default: random, temporal if ratings have "
    "times, held-out-users; given with --train]",
)
@click.option("--train", "train_file", type=FILE, help="Training part of a published split.")
@click.option("--test", "test_file", type=FILE, help="Test part: user, item and maybe rating.")
@click.option(
    "--mask",
    "mask_file",
    type=FILE,
    help="Pairs of user and item that no list of given may contain.",
)
@click.option(
    "--methods",
    multiple=True,
    type=click.Choice(METHODS),
    default=BASELINES,
    show_default=True,
    help="What foldin is compared with, except by fold-in; may be repeated. ease and implicit-als "
    "are tuned.",
)
@click.option(
    "--k", "count", type=click.IntRange(1, 200), default=10, show_default=True, help="Items a list."
)
@click.option(
    "--folds",
    type=click.IntRange(2),
    default=DEFAULTS.folds,
    show_default=True,
    help="Folds of kfold, held-out-users and cold-items; fold-in holds one out.",
)
@click.option(
    "--share",
    type=FiniteRange(0, 1, min_open=True, max_open=True),
    default=DEFAULTS.share,
    show_default=True,
    help="Share of the ratings that random hides.",
)
@click.option(
    "--leave-last",
    type=click.IntRange(1),
    default=DEFAULTS.leave_last,
    show_default=True,
    help="Latest ratings of every user that temporal hides.",
)
@takes_heads
@click.option("--dimension", type=DIMENSION, help="As in train.")
@click.option(
    "--device", type=click.Choice(get_args(DeviceName)), default="auto", help="As in train."
)
@click.option(
    "--seed",
    type=SEED,
    default=0,
    show_default=True,
    help="Seed of splits, training and resamples.",
)
@click.option(
    "--out",
    "--report",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("evaluation"),
    show_default=True,
    help="Folder for the report, as HTML and JSON, and its figures.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@printing_errors
def evaluate(
    source: Source,
    *,
    protocols: tuple[str, ...],
    train_file: Path | None,
    test_file: Path | None,
    mask_file: Path | None,
    methods: tuple[str, ...],
    count: int,
    folds: int,
    share: float,
    leave_last: int,
    rating_head: str,
    ranking_head: str,
    dimension: int | None,
    device: DeviceName,
    seed: int,
    out: Path,
    as_json: bool,
) -> None:
    """Measure models of a data set: errors of ratings, quality and diversity of lists.

    SOURCE is the name of a fetched data set or a file. Every protocol trains from scratch on what
    it does not hide. random hides a share of the ratings, kfold every rating once, temporal the
    latest ratings of every user, leave-last-out the last one, held-out-users whole users; fold-in
    measures a new user's error by the number of their ratings; given takes the split of two files.
    """
    choose_device(device)  # a missing device is an error before anything takes long
    given = _given(source, protocols, train_file, test_file, mask_file)
    dataset = source.load() if given is None else given.dataset
    settings = TrainSettings.of(dimension=dimension, device=device, seed=seed)
    chosen = (GIVEN,) if given else protocols or _usual(dataset)
    _refuse_unused(chosen)
    plan = Plan(
        chosen,
        ProtocolSettings(folds=folds, share=share, leave_last=leave_last, seed=seed),
        replace(settings, rating_head=rating_head, ranking_head=ranking_head),
        count,
        tuple(dict.fromkeys(methods)),
        given,
        say,
        by_default=not (given or protocols),
    )
    evaluation = run(dataset, plan)
    report, html, *_ = write_report(evaluation, out)
    if as_json:
        click.echo(json.dumps(json.loads(report.read_text("utf-8")), ensure_ascii=False))
        return
    _show(evaluation)
    click.echo(f"report   {html}")
    click.echo(f"numbers  {report}")


def _given(
    source: Source,
    protocols: tuple[str, ...],
    train_file: Path | None,
    test_file: Path | None,
    mask_file: Path | None,
) -> GivenSplit | None:
    """Returns the published split, if the options name one."""
    if GIVEN not in protocols and (train_file, test_file, mask_file) == (None, None, None):
        return None
    if train_file is None or test_file is None:
        missing = "--train" if train_file is None else "--test"
        raise click.UsageError(
            f"a given split needs --train FILE and --test FILE; {missing} is missing"
        )
    if set(protocols) - {GIVEN}:
        others = ", ".join(name for name in protocols if name != GIVEN)
        raise click.UsageError(f"--train and --test go with --protocol given alone, not {others}")
    origin = click.get_current_context().get_parameter_source("source")
    if origin is not ParameterSource.DEFAULT:
        raise click.UsageError(f"SOURCE {source.name!r} and --train name two data sets; leave one")
    of_source = (source.items, source.columns, source.scale, source.users)
    return load_split(SplitFiles(train_file, test_file, mask_file, *of_source))


def _refuse_unused(protocols: tuple[str, ...]) -> None:
    """Raises UsageError for an option that none of these protocols uses."""
    context = click.get_current_context()
    for name, users in OPTION_PROTOCOLS.items():
        said = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if said and users.isdisjoint(protocols):
            option, there = f"--{name.replace('_', '-')}", ", ".join(protocols)
            raise click.UsageError(
                f"{option} has no effect on {there}; leave it out, or add a protocol that uses it: "
                f"{', '.join(sorted(users))}"
            )


def _usual(dataset: Dataset) -> tuple[str, ...]:
    temporal = () if dataset.ratings.timestamps is None else ("temporal",)
    return ("random", *temporal, "held-out-users")


def _show(evaluation: Evaluation) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    for note in evaluation.notes:
        console.print(f"note: {note}", markup=False)
    for outcome in evaluation.outcomes:
        for table in (
            rating_table(outcome),
            ranking_table(outcome),
            beyond_accuracy_table(outcome),
        ):
            if table is not None:
                console.print(table)
        for note in outcome.remarks:
            console.print(f"note: {note}", markup=False)
    if evaluation.curve is not None:
        console.print(curve_table(evaluation.curve))
