"""Where a command's servers are and how they are reached: options, checked, as one value.

grpc is imported only to open a connection, so that help and wrong usage come at once.
"""

import functools
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from foldin_client.channel.address import DEFAULT_ADDRESS, DEFAULT_TIMEOUT_S, target

if TYPE_CHECKING:
    from foldin_client.client import Client

LONGEST_TIMEOUT_S = 86_400.0  # far below where grpc's clock overflows, and the call ends at once
PEM = click.Path(path_type=Path, exists=True, dir_okay=False)


@dataclass(frozen=True, slots=True)
class Connection:
    """How the servers are reached. Without `ca` in plain text."""

    address: str
    timeout_s: float
    ca: Path | None
    certificate: Path | None
    key: Path | None
    server_name: str | None

    def opened(self) -> "Client":
        """A client. Raises BadParameter for files that TLS can't use."""
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what failed is said by the command
        from foldin_client.channel.tls import Tls  # noqa: PLC0415
        from foldin_client.client import Client  # noqa: PLC0415  grpc takes its time

        tls = None
        if self.ca is not None:
            tls = Tls(self.ca, self.certificate, self.key, self.server_name)
        try:
            return Client(self.address, timeout_s=self.timeout_s, tls=tls)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--ca") from error

    def unanswered(self, cause: str) -> str:
        """What to say where no server answers, and grpc gives that cause."""
        if self.ca is None:
            return (
                f"no server answers at {self.address}; start one with `foldin up`, or give --ca "
                "if it has TLS"
            )
        return (
            f"no server that is trusted answers at {self.address}; --ca must have signed its "
            "certificate, --server-name say what that calls it if not its host, and it may ask "
            f"for --certificate and --key ({cause})"
        )


def takes_connection(command: Callable[..., None]) -> Callable[..., None]:
    """The command has the options of a Connection, and gets it first."""

    @click.option(
        "--address",
        envvar="FOLDIN_ADDRESS",
        default=DEFAULT_ADDRESS,
        show_default=True,
        show_envvar=True,
        callback=_address,
        help="Where the servers are: host:port, or several ip:port with commas.",
    )
    @click.option(
        "--timeout",
        "timeout_s",
        type=click.FloatRange(min=0, min_open=True, max=LONGEST_TIMEOUT_S),
        default=DEFAULT_TIMEOUT_S,
        show_default=True,
        callback=_number,
        help="Longest wait for an answer, in seconds.",
    )
    @click.option(
        "--ca",
        type=PEM,
        envvar="FOLDIN_CA",
        show_envvar=True,
        help="Use TLS and trust servers by these PEM certificates.",
    )
    @click.option(
        "--certificate",
        type=PEM,
        envvar="FOLDIN_CERTIFICATE",
        show_envvar=True,
        help="PEM chain to show to servers that ask for one.",
    )
    @click.option(
        "--key",
        type=PEM,
        envvar="FOLDIN_KEY",
        show_envvar=True,
        help="PEM key of that certificate.",
    )
    @click.option(
        "--server-name",
        envvar="FOLDIN_SERVER_NAME",
        show_envvar=True,
        help="What the servers' certificate calls them, if not the host of the address.",
    )
    @functools.wraps(command)
    def connecting(
        *,
        address: str,
        timeout_s: float,
        ca: Path | None,
        certificate: Path | None,
        key: Path | None,
        server_name: str | None,
        **options: Any,
    ) -> None:
        if ca is None and (certificate or key or server_name):
            raise click.UsageError(
                "--certificate, --key and --server-name are of TLS, which --ca turns on: "
                "give that too, or none of them."
            )
        if (certificate is None) is not (key is None):
            raise click.UsageError("--certificate and --key are a pair: give both, or neither.")
        command(Connection(address, timeout_s, ca, certificate, key, server_name), **options)

    return connecting


def _address(_: click.Context, __: click.Parameter, address: str) -> str:
    try:
        target(address)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return address


def _number(_: click.Context, __: click.Parameter, timeout_s: float) -> float:
    """The timeout; not a number is in no range, but click lets it through."""
    if math.isnan(timeout_s):
        raise click.BadParameter(
            f"{timeout_s} is not in the range 0<x<={LONGEST_TIMEOUT_S:g}; give seconds."
        )
    return timeout_s
