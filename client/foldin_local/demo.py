"""`foldin demo`: all parts run for a minute, and a walkthrough shows that they learn."""

import os
import time
from pathlib import Path

import click
from foldin_client.errors import FoldinError

from foldin_local.interrupts import Interrupted, noted_signals
from foldin_local.progress import progress_console
from foldin_local.stack import DataSource, LocalStack, free_address
from foldin_local.up import data_options
from foldin_local.walkthrough import Walkthrough


@click.command()
@data_options
def demo(*, data: str, items: Path | None) -> None:
    """See a recommender learn from a rating, then stop everything again.

    Fetches MovieLens, trains, publishes, serves on a free port, and shows recommendations before
    and after some ratings. Fails if anything that it shows does not hold.
    """
    console = progress_console()
    began = time.monotonic()
    with noted_signals() as interrupts:
        stack = LocalStack(free_address("127.0.0.1:0"), console, interrupts)
        try:
            with stack.serving(DataSource(data, items)) as (client, _):
                highest = client.get_serving_model().model.max_rating
                Walkthrough(client, console, interrupts, highest).run()
        except Interrupted as interrupted:
            console.print("Stopped.")
            raise click.exceptions.Exit(interrupted.exit_code) from None
        except FoldinError as error:
            raise click.ClickException(f"the demo failed: {error.message}") from error
    command = "make up" if "MAKELEVEL" in os.environ else "foldin up"
    console.print(
        f"\nDone in {time.monotonic() - began:.0f} s; everything is stopped again. "
        f"[bold]{command}[/bold] serves until Ctrl-C."
    )
