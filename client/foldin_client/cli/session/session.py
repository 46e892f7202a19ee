"""`Session` and `server_command`: what every command that calls a server shares.

The commands themselves only say what to ask and what to print.
"""

import functools
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from foldin_client.cli.output.json_document import document
from foldin_client.cli.session.connection import Connection, connection_options
from foldin_client.cli.session.failure import failure_class
from foldin_client.errors import FoldinError

if TYPE_CHECKING:
    from foldin_client.client import Client


@dataclass(frozen=True, slots=True)
class Session:
    """A command's client, and the form in which its answer is printed."""

    client: "Client"
    as_json: bool

    def show(self, value: object) -> None:
        """Prints the answer on stdout, as a JSON document or as a table."""
        if sys.stdout is None:  # the caller closed it
            raise click.ClickException("Standard output is closed: the answer can't be printed.")
        if self.as_json:
            click.echo(json.dumps(document(value), indent=2))
            return
        from foldin_client.cli.output.console import terminal  # noqa: PLC0415  rich is slow to import
        from foldin_client.cli.output.tables import rendered  # noqa: PLC0415

        terminal().print(rendered(value))


def server_command(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the connection options and --json to a command, and passes it a Session first.

    Errors of the client end the command with their exit code.
    """

    @connection_options
    @click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
    @functools.wraps(command)
    def wrapper(connection: Connection, *, as_json: bool, **options: Any) -> None:
        try:
            with connection.open() as client:
                command(Session(client, as_json), **options)
        except FoldinError as error:
            raise failure_class(error)(error, connection, as_json=as_json) from error

    return wrapper
