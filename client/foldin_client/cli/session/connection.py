"""The options that say where the servers are and how to connect, checked, as one value.

grpc is imported only when a connection is opened, so that help and wrong usage are fast.
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

LONGEST_TIMEOUT_S = (
    86_400.0  # with a far longer one grpc's clock overflows and the call ends at once
)
PEM = click.Path(path_type=Path, exists=True, dir_okay=False)


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the servers are and how to connect; in plain text where `ca` is None."""

    address: str
    timeout_s: float
    ca: Path | None
    certificate: Path | None
    key: Path | None
    server_name: str | None

    def open(self) -> "Client":
        """Returns a client. Raises BadParameter for files that TLS can't use."""
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # the command itself reports failures
        from foldin_client.channel.tls import Tls  # noqa: PLC0415
        from foldin_client.client import Client  # noqa: PLC0415  grpc is slow to import

        tls = None
        if self.ca is not None:
            tls = Tls(self.ca, self.certificate, self.key, self.server_name)
        try:
            return Client(self.address, timeout_s=self.timeout_s, tls=tls)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--ca") from error

    def unreachable_message(self, cause: str) -> str:
        """Returns the message for no answer from any server; `cause` is what grpc reports."""
        if self.ca is None:
            return (
                f"no server answers at {self.address}; start one with `foldin up`, or give --ca "
                "if it has TLS"
            )
        return (
            f"no server that is trusted answers at {self.address}; --ca must hold the authority "
            "that signed its certificate, --server-name must be the name in it if not the host, "
            f"and the server may require --certificate and --key ({cause})"
        )


def connection_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options of a Connection to a command, and passes it the Connection first."""

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
        callback=_timeout,
        help="Longest wait for an answer, in seconds.",
    )
    @click.option(
        "--ca",
        type=PEM,
        envvar="FOLDIN_CA",
        show_envvar=True,
        help="Use TLS and trust the PEM certificates in this file.",
    )
    @click.option(
        "--certificate",
        type=PEM,
        envvar="FOLDIN_CERTIFICATE",
        show_envvar=True,
        help="PEM certificate chain for servers that ask for one.",
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
        help="Name in the servers' certificate, if not the host of the address.",
    )
    @functools.wraps(command)
    def wrapper(
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
                "--certificate, --key and --server-name belong to TLS, which --ca turns on: "
                "give --ca too, or none of them."
            )
        if (certificate is None) is not (key is None):
            raise click.UsageError("--certificate and --key are a pair: give both, or neither.")
        command(Connection(address, timeout_s, ca, certificate, key, server_name), **options)

    return wrapper


def _address(_: click.Context, __: click.Parameter, address: str) -> str:
    try:
        target(address)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return address


def _timeout(_: click.Context, __: click.Parameter, timeout_s: float) -> float:
    """Returns the timeout. Raises BadParameter for NaN, which click takes for in range."""
    if math.isnan(timeout_s):
        raise click.BadParameter(
            f"{timeout_s} is not in the range 0<x<={LONGEST_TIMEOUT_S:g}; give seconds."
        )
    return timeout_s
