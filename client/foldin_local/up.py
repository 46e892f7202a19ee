"""`foldin up`: all parts run on this machine until a signal asks to stop."""

import shlex
from collections.abc import Callable
from pathlib import Path

import click
from foldin_client.channel.address import DEFAULT_ADDRESS
from foldin_client.errors import FoldinError
from rich.markup import escape

from foldin_local.child_process import Child
from foldin_local.interrupts import Interrupted, Interrupts, noted_signals
from foldin_local.progress import progress_console
from foldin_local.stack import (
    DEFAULT_DATA,
    DataSource,
    LocalStack,
    free_address,
    tls_from_environment,
)

WATCH_INTERVAL_S = 0.2


def data_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options --data and --items to a command."""
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
@data_options
@click.option(
    "--address",
    envvar="FOLDIN_ADDRESS",
    default=DEFAULT_ADDRESS,
    show_default=True,
    show_envvar=True,
    help="Where to serve; port 0 takes a free one.",
)
@click.option("--retrain", is_flag=True, help="Train again even if there is a model.")
def up(*, data: str, items: Path | None, address: str, retrain: bool) -> None:
    """Fetch data, train, and serve on this machine until Ctrl-C or SIGTERM.

    What is there already is used again: the data, the model, and every rating so far.
    """
    console = progress_console()
    with noted_signals() as interrupts:
        address = free_address(address)
        stack = LocalStack(address, console, interrupts)
        try:
            with stack.serving(DataSource(data, items), retrain=retrain) as (_, server):
                console.print(
                    f"\n[bold green]foldin is ready[/bold green] at [bold]{address}[/bold]; "
                    "Ctrl-C stops it.\n"
                    f"{escape(_settings_elsewhere(address))}"
                    'Try it in another terminal:  foldin search "toy story"\n'
                    "                             foldin rate ada 1 5\n"
                    "                             foldin recommend ada",
                    soft_wrap=True,
                )
                _watch(server, interrupts)
        except Interrupted:
            console.print("Stopped.")
        except FoldinError as error:
            raise click.ClickException(error.message) from error


def _settings_elsewhere(address: str) -> str:
    """Returns the line that sets what commands in another terminal need, if anything."""
    needed = {} if address == DEFAULT_ADDRESS else {"FOLDIN_ADDRESS": address}
    if (tls := tls_from_environment()) is not None:
        paths = {"CA": tls.ca, "CERTIFICATE": tls.certificate, "KEY": tls.key}
        needed |= {f"FOLDIN_{name}": str(path.resolve()) for name, path in paths.items() if path}
        needed |= {"FOLDIN_SERVER_NAME": tls.server_name} if tls.server_name else {}
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in needed.items())
    return f"There first:  export {settings}\n" if needed else ""


def _watch(server: Child, interrupts: Interrupts) -> None:
    """Never returns: raises Interrupted, or ChildFailed if the server ends by itself."""
    while (code := server.wait(WATCH_INTERVAL_S)) is None:
        interrupts.check()
    raise server.failure(code)
