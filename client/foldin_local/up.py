"""`foldin up`: everything on this machine, until somebody asks it to stop."""

import shlex
from collections.abc import Callable
from pathlib import Path

import click
from foldin_client.channel.address import DEFAULT_ADDRESS
from foldin_client.errors import FoldinError
from rich.markup import escape

from foldin_local.child_process import Child
from foldin_local.installation import DEFAULT_DATA, Installation, Source, free, trusted
from foldin_local.interrupts import Interrupted, Interrupts, noting_signals
from foldin_local.progress import stage

WATCH_S = 0.2


def takes_source(command: Callable[..., None]) -> Callable[..., None]:
    """The command has --data and --items."""
    command = click.option(
        "--items",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Table of items for a file of your own: id, title, genres, year.",
    )(command)
    return click.option(
        "--data",
        default=DEFAULT_DATA,
        show_default=True,
        metavar="NAME|PATH",
        help="What to learn from: a MovieLens edition, or a CSV or Parquet file of ratings.",
    )(command)


@click.command()
@takes_source
@click.option(
    "--address",
    envvar="FOLDIN_ADDRESS",
    default=DEFAULT_ADDRESS,
    show_default=True,
    show_envvar=True,
    help="Where to serve; port 0 takes a free one.",
)
@click.option("--retrain", is_flag=True, help="Train again, although there is a model.")
def up(*, data: str, items: Path | None, address: str, retrain: bool) -> None:
    """Fetch data, train, and serve on this machine until Ctrl-C or SIGTERM.

    What is there already is used again: the data, the model, and every rating given so far.
    """
    console = stage()
    with noting_signals() as interrupts:
        address = free(address)
        installation = Installation(address, console, interrupts)
        try:
            with installation.serving(Source(data, items), retrain=retrain) as (_, server):
                console.print(
                    f"\n[bold green]foldin is ready[/bold green] at [bold]{address}[/bold]; "
                    "Ctrl-C stops it.\n"
                    f"{escape(_elsewhere(address))}"
                    'Try it in another terminal:  foldin search "toy story"\n'
                    "                             foldin rate ada 1 5\n"
                    "                             foldin recommend ada",
                    soft_wrap=True,
                )
                _stay(server, interrupts)
        except Interrupted:
            console.print("Stopped.")
        except FoldinError as error:
            raise click.ClickException(error.message) from error


def _elsewhere(address: str) -> str:
    """What another terminal must set for its commands to reach the server; mostly nothing."""
    needed = {} if address == DEFAULT_ADDRESS else {"FOLDIN_ADDRESS": address}
    if (tls := trusted()) is not None:
        paths = {"CA": tls.ca, "CERTIFICATE": tls.certificate, "KEY": tls.key}
        needed |= {f"FOLDIN_{name}": str(path.resolve()) for name, path in paths.items() if path}
        needed |= {"FOLDIN_SERVER_NAME": tls.server_name} if tls.server_name else {}
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in needed.items())
    return f"There first:  export {settings}\n" if needed else ""


def _stay(server: Child, interrupts: Interrupts) -> None:
    """Never returns: raises Interrupted, or ChildFailed if the server ends by itself."""
    while (code := server.wait(WATCH_S)) is None:
        interrupts.check()
    raise server.failure(code)
