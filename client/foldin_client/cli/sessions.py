"""What every command that asks a server shares: where, how long, in which form, and how it fails.

The commands themselves only say what to ask and how to show it.
"""

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import click

from foldin_client import errors
from foldin_client.addresses import DEFAULT_ADDRESS, DEFAULT_TIMEOUT_S, target
from foldin_client.cli.documents import document
from foldin_client.errors import FoldinError

if TYPE_CHECKING:
    from foldin_client.client import Client


class AmbiguousTitle(FoldinError):
    """A title that several items have. Its metadata names them: id to title."""

    code = "FAILED_PRECONDITION"
    reason = "TITLE_AMBIGUOUS"


class Failed(click.ClickException):
    """Ends the command: the error on stderr, as a line or as JSON."""

    exit_code = 1

    def __init__(self, error: FoldinError, address: str, *, as_json: bool) -> None:
        super().__init__(error.message)
        self._error = error
        self._address = address
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
        if isinstance(error, errors.Unreachable):
            message = f"no server answers at {self._address}; start one with `foldin up`"
        else:
            message = error.message or error.reason
        click.echo(f"error: {message}", file=file, err=True)
        if isinstance(error, AmbiguousTitle):
            for item_id, title in error.metadata.items():
                click.echo(f"  {item_id:>8}  {title}", file=file, err=True)


class Missing(Failed):
    exit_code = 3


class Unavailable(Failed):
    exit_code = 4


def kind_of(error: FoldinError) -> type[Failed]:
    """What a script sees of a failure: its exit code."""
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
        if self.as_json:
            click.echo(json.dumps(document(value), indent=2))
            return
        from foldin_client.cli.tables import rendered, terminal  # noqa: PLC0415  rich takes its time

        terminal().print(rendered(value))


def asks_server(command: Callable[..., None]) -> Callable[..., None]:
    """The command has --address, --timeout and --json, and gets a Session first."""

    @click.option(
        "--address",
        envvar="FOLDIN_ADDRESS",
        default=DEFAULT_ADDRESS,
        show_default=True,
        show_envvar=True,
        help="Where the servers are: host:port, or several ip:port with commas.",
    )
    @click.option(
        "--timeout",
        "timeout_s",
        type=click.FloatRange(min=0, min_open=True),
        default=DEFAULT_TIMEOUT_S,
        show_default=True,
        help="Longest wait for an answer, in seconds.",
    )
    @click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
    @functools.wraps(command)
    def asking(address: str, timeout_s: float, *, as_json: bool, **options: Any) -> None:
        from foldin_client.client import Client  # noqa: PLC0415  grpc takes its time

        try:
            target(address)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--address") from error
        try:
            with Client(address, timeout_s=timeout_s) as client:
                command(Session(client, as_json), **options)
        except FoldinError as error:
            raise kind_of(error)(error, address, as_json=as_json) from error

    return asking
