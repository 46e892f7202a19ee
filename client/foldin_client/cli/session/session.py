"""What every command that asks a server shares: the form of its answer, and how it fails.

The commands themselves only say what to ask and how to show it.
"""

import functools
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import click

from foldin_client import errors
from foldin_client.cli.output.json_document import document
from foldin_client.cli.session.connection import Connection, takes_connection
from foldin_client.errors import FoldinError

if TYPE_CHECKING:
    from foldin_client.client import Client


class AmbiguousTitle(FoldinError):
    """A title that several items have. Its metadata names them: id to title."""

    code = "FAILED_PRECONDITION"
    reason = "TITLE_AMBIGUOUS"


class NotRated(errors.NotFound):
    """A rating to take back that the user has not given."""

    reason = "RATING_NOT_FOUND"


class Failed(click.ClickException):
    """Ends the command: the error on stderr, as a line or as JSON."""

    exit_code = 1

    def __init__(self, error: FoldinError, connection: Connection, *, as_json: bool) -> None:
        super().__init__(error.message)
        self._error = error
        self._connection = connection
        self._as_json = as_json

    def show(self, file: IO[Any] | None = None) -> None:
        error = self._error
        if self._as_json:
            failure = {
                "error": error.reason,
                "code": error.code,
                "message": error.message,
                "violations": document(error.violations),
                "metadata": dict(error.metadata),
                "retry_after_ms": error.retry_after_ms,
            }
            click.echo(json.dumps(failure), file=file, err=True)
            return
        click.echo(f"error: {self._said()}", file=file, err=True)
        if isinstance(error, AmbiguousTitle):
            for item_id, title in error.metadata.items():
                click.echo(f"  {item_id:>8}  {title}", file=file, err=True)

    def _said(self) -> str:
        """The message, with what an option can do about it."""
        match self._error:
            case errors.Unreachable(message=cause):
                return self._connection.unanswered(cause)
            case errors.DeadlineExceeded(message=cause):
                return f"{cause}; --timeout waits longer"
            case error:
                return error.message or error.reason


class Misused(Failed):
    exit_code = 2


class Missing(Failed):
    exit_code = 3


class Unavailable(Failed):
    exit_code = 4


def kind_of(error: FoldinError) -> type[Failed]:
    """What a script sees of a failure: its exit code."""
    if isinstance(error.__cause__, ValueError):  # refused before it was sent
        return Misused
    if isinstance(error, errors.NotFound | AmbiguousTitle):
        return Missing
    if error.code in {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}:
        return Unavailable
    return Failed


@dataclass(frozen=True, slots=True)
class Session:
    """One command's connection, and the form its answer takes."""

    client: "Client"
    as_json: bool

    def show(self, value: object) -> None:
        """The answer is on stdout: as a JSON document, or as people read it."""
        if sys.stdout is None:  # the caller closed it
            raise click.ClickException("Standard output is closed: the answer can't be printed.")
        if self.as_json:
            click.echo(json.dumps(document(value), indent=2))
            return
        from foldin_client.cli.output.tables import rendered, terminal  # noqa: PLC0415  rich takes its time

        terminal().print(rendered(value))


def asks_server(command: Callable[..., None]) -> Callable[..., None]:
    """The command has the options of a connection and --json, and gets a Session first."""

    @takes_connection
    @click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
    @functools.wraps(command)
    def asking(connection: Connection, *, as_json: bool, **options: Any) -> None:
        try:
            with connection.opened() as client:
                command(Session(client, as_json), **options)
        except FoldinError as error:
            raise kind_of(error)(error, connection, as_json=as_json) from error

    return asking
