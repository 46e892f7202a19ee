"""One foldin on this machine, from nothing to serving: data, histories, a model, a server.

Each part is the command of that name; what is there already is used as it is.
"""

import json
import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click
from foldin_client.channel.tls import Tls
from foldin_client.client import Client
from foldin_client.errors import (
    DeadlineExceeded,
    FoldinError,
    ModelNotReady,
    StoreUnavailable,
    Unreachable,
)
from rich.console import Console
from rich.markup import escape

from foldin_local.child_process import TICK_S, Child, child, finished
from foldin_local.interrupts import Interrupts
from foldin_local.own_tls import own_tls
from foldin_local.progress import step

T = TypeVar("T")

DEFAULT_DATA = "ml-latest-small"
PATIENCE_S = 60.0  # a start takes seconds, half a minute where the store has much to read
NOT_YET = (Unreachable, StoreUnavailable, ModelNotReady, DeadlineExceeded)


@dataclass(frozen=True, slots=True)
class Source:
    """The ratings to learn from: a MovieLens name or a file, with its table of items."""

    name: str
    items: Path | None

    @property
    def is_file(self) -> bool:
        return Path(self.name).suffix != "" or Path(self.name).exists()

    @property
    def arguments(self) -> tuple[str, ...]:
        return (self.name,) if self.items is None else (self.name, "--items", str(self.items))


@dataclass(frozen=True, slots=True)
class Installation:
    """What is needed to bring a foldin up, and to say how it goes."""

    address: str
    console: Console
    interrupts: Interrupts
    patience_s: float = PATIENCE_S
    """How long each of the server's steps may take."""

    @contextmanager
    def serving(self, source: Source, *, retrain: bool = False) -> Iterator[tuple[Client, Child]]:
        """A client of a server that serves; both have ended after the block.

        Trains on the source where the store has no model yet, or if told to. Raises ClickException
        where something ends that should not, or does not come in time.
        """
        tls = trusted()
        os.environ.setdefault("FOLDIN_LOG_CALLS", "false")  # its log is only read if it fails
        serve = ("serve", "--address", self.address)
        with (
            tempfile.TemporaryDirectory(prefix="foldin-") as folder,
            child("serve", serve, Path(folder)) as server,
            Client(self.address, tls=tls) as client,
        ):
            with step(self.console, "Starting the store and the server") as progress:
                known = self._once(server, client.list_models, progress)
            if known.current_version and not retrain:
                self.console.print(f"  model {known.current_version} is there already")
            else:
                self._learn(source, Path(folder))
            with step(self.console, "Waiting until the model is served") as progress:
                self._once(server, client.get_serving_model, progress)
            try:
                yield client, server
            except Unreachable:
                if (code := server.wait(TICK_S)) is not None:
                    raise server.failure(code) from None
                raise

    def _learn(self, source: Source, folder: Path) -> None:
        fetched = source if source.is_file else self._fetch(source, folder)
        for name, title in (
            ("ratings import", f"Importing the ratings of {fetched.name} as histories"),
            ("train", f"Training on {fetched.name}"),
        ):
            with step(self.console, title) as progress:
                arguments = (*name.split(), *fetched.arguments)
                finished(name, arguments, folder, self.interrupts, progress)

    def _fetch(self, source: Source, folder: Path) -> Source:
        with step(self.console, f"Fetching {source.name}") as progress:
            arguments = ("data", "fetch", source.name, "--json")
            printed = finished("data fetch", arguments, folder, self.interrupts, progress)
        there = json.loads(printed)
        if there["name"] != source.name:
            self.console.print(
                f"  [yellow]{source.name} can't be reached from here; {there['name']} is used "
                "instead[/yellow]"
            )
        self.console.print(
            f"  {there['ratings']:,} ratings by {there['users']:,} users "
            f"of {there['items']:,} items [dim]from {escape(there['origin'])}[/dim]"
        )
        return Source(there["name"], source.items)

    def _once(self, server: Child, ask: Callable[[], T], progress: Callable[[str], None]) -> T:
        """The first answer; a server that is not ready is asked again, and what it lacks is told.

        Raises ClickException, with the last reason, where the patience ends first.
        """
        began = time.monotonic()
        while True:
            try:
                return ask()
            except NOT_YET as reason:
                if time.monotonic() - began > self.patience_s:
                    raise self._impatient(server, reason) from reason
                progress(reason.message)
            self._pause(server)

    def _impatient(self, server: Child, reason: FoldinError) -> click.ClickException:
        match reason:
            case StoreUnavailable() | DeadlineExceeded() if "FOLDIN_REDIS_URL" in os.environ:
                remedy = "Set FOLDIN_REDIS_URL right; without it, foldin starts a store of its own."
            case ModelNotReady():
                remedy = "`foldin up --retrain` makes another model."
            case _:
                remedy = f"What `foldin serve` said last: {server.last_line or 'nothing'}"
        return click.ClickException(
            f"not ready after {self.patience_s:g} s: {reason.message}\n{remedy}"
        )

    def _pause(self, server: Child) -> None:
        """A moment has passed. Raises if the server ended or somebody asked us to stop."""
        self.interrupts.check()
        if (code := server.wait(TICK_S)) is not None:
            raise server.failure(code)


def trusted() -> Tls | None:
    """How the server of this environment is reached. Raises ClickException where it can't be."""
    try:
        return own_tls(os.environ)
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def free(address: str) -> str:
    """The address, where nobody listens, with a real port in place of port 0.

    Raises ClickException with the remedy for any other.
    """
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host.strip("[]"), int(port)))
            return f"{host}:{probe.getsockname()[1]}"
    except (OSError, ValueError, OverflowError) as error:
        raise click.ClickException(
            f"can't listen at {address}: {error}. Is a foldin up there already? "
            "--address or FOLDIN_ADDRESS chooses another, such as 127.0.0.1:50052"
        ) from error
