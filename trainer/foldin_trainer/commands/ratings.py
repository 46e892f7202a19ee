"""`foldin ratings`: loads the ratings of a data set as the histories of their users."""

import asyncio
from contextlib import aclosing
from dataclasses import asdict

import click
from foldin_model.store.location import running_store_url
from foldin_model.store.opening import open_store

from foldin_trainer.commands.data import AS_JSON
from foldin_trainer.commands.options.data_source import Source, takes_source
from foldin_trainer.commands.options.store import STORE_TIMEOUT_S, takes_store
from foldin_trainer.commands.output import print_facts, print_json, printing_errors, progress
from foldin_trainer.data.history_import import ImportReport, import_histories
from foldin_trainer.data.ratings import Ratings


@click.group()
def ratings() -> None:
    """Load ratings into the store."""


@ratings.command("import")
@takes_source
@takes_store
@AS_JSON
@printing_errors
def import_(source: Source, *, redis_url: str | None, namespace: str, as_json: bool) -> None:
    """Load the ratings of SOURCE as their users' histories.

    A rating that the store has already, or has a newer value of, stays as it is.
    """
    loaded = source.load().ratings
    with running_store_url(redis_url, source.data_dir) as url:
        report = asyncio.run(_import(loaded, url, namespace))
    if as_json:
        print_json(asdict(report))
        return
    facts = {
        "users": f"{report.users:,}",
        "stored": f"{report.stored:,}",
        "unchanged": f"{report.unchanged:,}",
    }
    if report.left_out:
        facts["left out"] = f"{report.left_out:,} of users with more ratings than are kept"
    print_facts(facts)


async def _import(loaded: Ratings, url: str, namespace: str) -> ImportReport:
    async with aclosing(open_store(url, namespace, timeout_s=STORE_TIMEOUT_S)) as store:
        with progress("importing") as advance:
            return await import_histories(loaded, store.ratings, advance)
