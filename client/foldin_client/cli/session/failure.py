"""How a command fails: the client's errors as exit codes and messages.

The error classes that no server reports are here too.
"""

import json
from typing import IO, Any

import click

from foldin_client import errors
from foldin_client.cli.output.json_document import document
from foldin_client.cli.session.connection import Connection
from foldin_client.errors import FoldinError


class AmbiguousTitle(FoldinError):
    """Several items have this title. The metadata maps their ids to their titles."""

    code = "FAILED_PRECONDITION"
    reason = "TITLE_AMBIGUOUS"


class NotRated(errors.NotFound):
    """The rating to delete does not exist."""

    reason = "RATING_NOT_FOUND"


class CommandFailed(click.ClickException):
    """Ends the command with exit code 1 and the error on stderr, as a line or as JSON."""

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
        click.echo(f"error: {self._message()}", file=file, err=True)
        if isinstance(error, AmbiguousTitle):
            for item_id, title in error.metadata.items():
                click.echo(f"  {item_id:>8}  {title}", file=file, err=True)

    def _message(self) -> str:
        """Returns the message, with the option that may help."""
        match self._error:
            case errors.Unreachable(message=cause):
                return self._connection.unreachable_message(cause)
            case errors.DeadlineExceeded(message=cause):
                return f"{cause}; --timeout waits longer"
            case error:
                return error.message or error.reason


class UsageRefused(CommandFailed):
    """The arguments cannot be sent."""

    exit_code = 2


class NothingFound(CommandFailed):
    """What the arguments name does not exist, or is not unique."""

    exit_code = 3


class ServerUnavailable(CommandFailed):
    """No server answered, or none that is ready."""

    exit_code = 4


def failure_class(error: FoldinError) -> type[CommandFailed]:
    """Returns the class, and with it the exit code, of a command that ends with this error."""
    if isinstance(error.__cause__, ValueError):  # refused before it was sent
        return UsageRefused
    if isinstance(error, errors.NotFound | AmbiguousTitle):
        return NothingFound
    if error.code in {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}:
        return ServerUnavailable
    return CommandFailed
