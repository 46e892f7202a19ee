"""`foldin demo`: a whole foldin for a minute, and a story that shows it learn."""

import os
import time
from pathlib import Path

import click
from foldin_client.errors import FoldinError

from foldin_local.installation import Installation, Source, free
from foldin_local.interrupts import Interrupted, noting_signals
from foldin_local.progress import stage
from foldin_local.story import Story
from foldin_local.up import takes_source


@click.command()
@takes_source
def demo(*, data: str, items: Path | None) -> None:
    """See a recommender learn from a rating, then stop everything again.

    Fetches MovieLens, trains, publishes, serves on a free port and tells a story. Fails if anything
    that it shows does not hold.
    """
    console = stage()
    began = time.monotonic()
    with noting_signals() as interrupts:
        installation = Installation(free("127.0.0.1:0"), console, interrupts)
        try:
            with installation.serving(Source(data, items)) as (client, _):
                best = client.get_serving_model().model.max_rating
                Story(client, console, interrupts, best).tell()
        except Interrupted as interrupted:
            console.print("Stopped.")
            raise click.exceptions.Exit(interrupted.exit_code) from None
        except FoldinError as error:
            raise click.ClickException(f"the demo failed: {error.message}") from error
    stay = "make up" if "MAKELEVEL" in os.environ else "foldin up"
    console.print(
        f"\nDone in {time.monotonic() - began:.0f} s; everything is stopped again. "
        f"[bold]{stay}[/bold] serves until Ctrl-C."
    )
