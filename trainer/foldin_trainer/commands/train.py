"""`foldin train`: learns a model from a data set, publishes it and makes it current."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import get_args

import click
from click.core import ParameterSource
from foldin_model.errors import FoldinError
from foldin_model.ids import Version
from foldin_model.index.exact_index import KINDS
from foldin_model.index.index_builder import APPROXIMATE_KINDS
from foldin_model.lifecycle.publisher import Description, activate, publish
from foldin_model.store.protocols import ModelStore
from foldin_model.trained.manifest import Manifest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from foldin_trainer.commands.options.data_source import Source, takes_source
from foldin_trainer.commands.options.heads import (
    takes_head_options,
    takes_heads,
    with_head_options,
)
from foldin_trainer.commands.options.numbers import DIMENSION, SEED, FiniteRange
from foldin_trainer.commands.options.store import opened_models, takes_store
from foldin_trainer.commands.options.tuned_settings import with_tuned_settings
from foldin_trainer.commands.output import print_facts, print_json, printing_errors, say
from foldin_trainer.data.cache import all_cached, cached
from foldin_trainer.learning.devices import DeviceName, choose_device
from foldin_trainer.learning.rating_heads.factors import Epoch
from foldin_trainer.learning.train_settings import TrainSettings
from foldin_trainer.learning.training import Listener, Trained
from foldin_trainer.learning.training import train as learn

MOST_LINES = 50


@click.command()
@takes_source
@takes_store
@click.option(
    "--dimension",
    type=DIMENSION,
    help="Length of the vectors of both heads.  [default: that of each head]",
)
@takes_heads
@click.option(
    "--time-budget",
    "time_budget_s",
    type=FiniteRange(0.0),
    help="Seconds after which no other ranking head or tuning is tried.  [default: no limit]",
)
@takes_head_options
@click.option(
    "--checkpoint",
    "checkpoints",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the state of bayes. An interrupted training continues from it.",
)
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File that `foldin tune` wrote; its head is trained. Other options win over it.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of everything random.")
@click.option(
    "--device",
    type=click.Choice(get_args(DeviceName)),
    default="auto",
    show_default=True,
    help="Where to compute; auto is CUDA, else Apple's GPU, else the CPU.",
)
@click.option(
    "--index",
    "index_kind",
    type=click.Choice((*KINDS, *APPROXIMATE_KINDS)),
    help="How items are searched; flat and pruned are exact.  [default: the faster of these]",
)
@click.option(
    "--publish/--no-publish", "publishing", default=True, help="Put the model into the store."
)
@click.option(
    "--activate/--no-activate",
    "activating",
    default=True,
    help="Make it current, so that servers load it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@printing_errors
def train(
    source: Source,
    *,
    redis_url: str | None,
    namespace: str,
    dimension: int | None,
    rating_head: str,
    ranking_head: str,
    time_budget_s: float | None,
    checkpoints: Path | None,
    settings_file: Path | None,
    seed: int,
    device: DeviceName,
    index_kind: str | None,
    publishing: bool,
    activating: bool,
    as_json: bool,
    **head_options: int | None,
) -> None:
    """Learn a model from SOURCE, measure it on held-out users, publish it and make it current.

    SOURCE is the name of a fetched data set, a folder or a file. The default is ml-latest-small
    or, if that was not fetched, the smallest data set that was.
    """
    choose_device(device)  # a missing device is an error before anything takes long
    dataset = _chosen(source).load()
    if publishing:
        with opened_models(redis_url, namespace, source.data_dir):
            pass  # an unusable store is an error before training
    settings = TrainSettings.of(dimension=dimension, device=device, seed=seed)
    settings = replace(
        settings,
        rating_head=rating_head,
        ranking_head=ranking_head,
        time_budget_s=time_budget_s,
    )
    settings = with_head_options(settings, head_options)
    if settings_file is not None:
        settings = with_tuned_settings(settings, settings_file)
    if checkpoints is not None:
        checkpoints.mkdir(parents=True, exist_ok=True)
    with _showing() as listener:
        trained = learn(dataset, settings, listener, checkpoints)
    manifest = None
    if publishing:
        description = Description(
            method=trained.settings.method,
            rating_count=len(dataset.ratings),
            seed=seed,
            data_hash=dataset.ratings.hash,
            metrics=trained.metrics,
            settings=trained.settings.flat(),
        )
        with opened_models(redis_url, namespace, source.data_dir) as store:
            manifest = _published(trained, description, store, index_kind)
            if activating:
                activate(store, Version(manifest.version))
    if as_json:
        print_json(_report(trained, manifest, active=publishing and activating))
    else:
        print_facts(_facts(trained, manifest, active=publishing and activating))


def _published(
    trained: Trained, description: Description, store: ModelStore, index_kind: str | None
) -> Manifest:
    """Returns the published manifest. Raises FoldinError if its index would find too little."""
    try:
        return publish(trained.model, trained.users, description, store, index_kind=index_kind)
    except ValueError as refused:
        raise FoldinError(f"nothing was published: {refused}") from refused


def _chosen(source: Source) -> Source:
    """Returns the source that was named, else the default one or the smallest that was fetched."""
    origin = click.get_current_context().get_parameter_source("source")
    if origin is not ParameterSource.DEFAULT or cached(source.name, source.data_dir):
        return source
    fetched = all_cached(source.data_dir)
    if not fetched:
        return source
    say(f"{source.name} was not fetched; training on {fetched[0].name} instead")
    return replace(source, name=fetched[0].name)


@contextmanager
def _showing() -> Iterator[Listener]:
    """Shows progress on stderr: as a bar in a terminal, else as lines."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Listener(stage=say, epoch=_say_some)
        return
    note = TextColumn("{task.fields[note]}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), note)
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("", total=None, note="")

        def stage(name: str) -> None:
            bar.update(task, description=name, total=None, completed=0, note="")

        def epoch(epoch: Epoch) -> None:
            bar.update(task, total=epoch.epochs, completed=epoch.number, note=_of(epoch))

        yield Listener(stage, epoch)


def _say_some(epoch: Epoch) -> None:
    """Prints a line for every epoch, or for about MOST_LINES of many."""
    if epoch.number % (1 + (epoch.epochs - 1) // MOST_LINES) == 0 or epoch.number == epoch.epochs:
        say(f"  {_of(epoch)}")


def _of(epoch: Epoch) -> str:
    rmse = "" if epoch.rmse is None else f", RMSE {epoch.rmse:.4f}"
    return f"epoch {epoch.number}/{epoch.epochs}: loss {epoch.loss:.4f}{rmse}"


def _facts(trained: Trained, manifest: Manifest | None, *, active: bool) -> dict[str, str]:
    catalog, constants = trained.model.catalog, trained.constants
    facts = {
        "learned from": f"{int(catalog.rating_counts.sum()):,} ratings of {len(catalog):,} items "
        f"by {len(trained.users.user_ids):,} users",
        "held-out users": f"RMSE {trained.metrics['held_out_users_rmse']:.4f}, "
        f"NDCG@10 {trained.metrics['held_out_users_ndcg_at_10']:.4f}",
        "ranking head": str(trained.attempts[0]),
        "rating weight": f"{constants.rating_weight:g}",
        "clusters": f"{len(catalog.clusters)}",
    }
    if {"worst_rhat", "smallest_effective_samples"} <= set(trained.metrics):
        facts["sampling"] = (
            f"{trained.metrics['samples']:.0f} samples, worst R-hat "
            f"{trained.metrics['worst_rhat']:.2f}, smallest effective sample size "
            f"{trained.metrics['smallest_effective_samples']:.0f}"
        )
    if manifest is not None:
        facts["version"] = f"{manifest.version} ({'serving' if active else 'not active'})"
    return facts


def _report(trained: Trained, manifest: Manifest | None, *, active: bool) -> dict[str, object]:
    return {
        "version": None if manifest is None else manifest.version,
        "active": active,
        "users": len(trained.users.user_ids),
        "items": len(trained.model.catalog),
        "metrics": dict(trained.metrics),
        "attempts": [
            {"plan": one.plan.name, "ndcg": one.ndcg, "ndcg_liked": one.ndcg_liked}
            for one in trained.attempts
        ],
        "rating_weight": trained.constants.rating_weight,
        "prior_scale": trained.constants.prior_scale,
        "noise_variance": trained.constants.noise_variance,
        "clusters": len(trained.model.catalog.clusters),
    }
