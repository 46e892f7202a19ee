"""`foldin evaluate`: trains on parts of a data set and says how well the rest is foretold."""

import json
from pathlib import Path

import click
from rich.console import Console

from foldin_trainer.commands.reporting import printing_errors, say
from foldin_trainer.commands.sources import Source, takes_source
from foldin_trainer.evaluation import evaluating
from foldin_trainer.evaluation.protocols import PROTOCOLS, ProtocolSettings
from foldin_trainer.evaluation.report import ranking_table, rating_table
from foldin_trainer.learning.training import TrainSettings

DEFAULTS = ProtocolSettings()


@click.command()
@takes_source
@click.option(
    "--protocol",
    "protocols",
    multiple=True,
    type=click.Choice(PROTOCOLS),
    help="How ratings are held out; may be repeated.  [default: random, temporal where ratings "
    "have times, held-out-users]",
)
@click.option(
    "--k", "count", type=click.IntRange(1, 200), default=10, show_default=True, help="Items a list."
)
@click.option(
    "--folds",
    type=click.IntRange(2),
    default=DEFAULTS.folds,
    show_default=True,
    help="Folds of kfold and held-out-users.",
)
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
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
@click.option("--seed", type=int, default=0, show_default=True, help="Of splits and training.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("evaluation"),
    show_default=True,
    help="Folder for the JSON report and the figures.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@printing_errors
def evaluate(
    source: Source,
    *,
    protocols: tuple[str, ...],
    count: int,
    folds: int,
    share: float,
    leave_last: int,
    seed: int,
    out: Path,
    as_json: bool,
) -> None:
    """Measure a data set's models: errors of ratings, quality and spread of lists.

    SOURCE is the name of a fetched data set or a file. Every protocol trains from scratch on what
    it does not hide and is compared with popularity, item means and the rating head alone.
    """
    dataset = source.load()
    if not protocols:
        temporal = () if dataset.ratings.timestamps is None else ("temporal",)
        protocols = ("random", *temporal, "held-out-users")
    evaluation = evaluating.evaluate(
        dataset,
        protocols,
        ProtocolSettings(folds=folds, share=share, leave_last=leave_last, seed=seed),
        TrainSettings.of(seed=seed),
        count,
        say=say,
    )
    report, *pictures = evaluating.write(evaluation, out)
    if as_json:
        click.echo(json.dumps(json.loads(report.read_text()), ensure_ascii=False))
        return
    console = Console()
    for outcome in evaluation.outcomes:
        for table in (rating_table(outcome), ranking_table(outcome)):
            if table is not None:
                console.print(table)
    click.echo(f"report   {report}")
    for picture in pictures:
        click.echo(f"figure   {picture}")
