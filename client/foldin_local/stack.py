"""All parts of foldin on this machine, from nothing to serving: data, histories, model, server.

Each step runs the `foldin` command that does it. A model that is there already is used as it is.
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

from foldin_local.child_process import POLL_INTERVAL_S, Child, run_to_end, running_child
from foldin_local.interrupts import Interrupts
from foldin_local.own_tls import own_tls
from foldin_local.progress import step

T = TypeVar("T")

DEFAULT_DATA = "ml-latest-small"
START_TIMEOUT_S = 60.0  # a start takes seconds; half a minute where the store has much to read
NOT_READY = (Unreachable, StoreUnavailable, ModelNotReady, DeadlineExceeded)


@dataclass(frozen=True, slots=True)
class DataSource:
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
class LocalStack:
    """Starts what is needed to serve at an address, and shows the progress on a console."""

    address: str
    console: Console
    interrupts: Interrupts
    start_timeout_s: float = START_TIMEOUT_S
    """How long each wait for the server may take."""

    @contextmanager
    def serving(
        self, source: DataSource, *, retrain: bool = False
    ) -> Iterator[tuple[Client, Child]]:
        """Gives a client of a server with a model; both have ended after the block.

        Trains on the source where the store has no model yet, or with `retrain`. Raises
        ClickException if a process fails or the server is not ready in time.
        """
        tls = tls_from_environment()
        os.environ.setdefault("FOLDIN_LOG_CALLS", "false")  # its log is only read if it fails
        serve = ("serve", "--address", self.address)
        with (
            tempfile.TemporaryDirectory(prefix="foldin-") as folder,
            running_child("serve", serve, Path(folder)) as server,
            Client(self.address, tls=tls) as client,
        ):
            with step(self.console, "Starting the store and the server") as progress:
                models = self._first_answer(server, client.list_models, progress)
            if models.current_version and not retrain:
                self.console.print(f"  model {models.current_version} is there already")
            else:
                self._train(source, Path(folder))
            with step(self.console, "Waiting until the model is served") as progress:
                self._first_answer(server, client.get_serving_model, progress)
            try:
                yield client, server
            except Unreachable:
                if (code := server.wait(POLL_INTERVAL_S)) is not None:
                    raise server.failure(code) from None
                raise

    def _train(self, source: DataSource, folder: Path) -> None:
        fetched = source if source.is_file else self._fetch(source, folder)
        for name, title in (
            ("ratings import", f"Importing the ratings of {fetched.name} as histories"),
            ("train", f"Training on {fetched.name}"),
        ):
            with step(self.console, title) as progress:
                arguments = (*name.split(), *fetched.arguments)
                run_to_end(name, arguments, folder, self.interrupts, progress)

    def _fetch(self, source: DataSource, folder: Path) -> DataSource:
        with step(self.console, f"Fetching {source.name}") as progress:
            arguments = ("data", "fetch", source.name, "--json")
            output = run_to_end("data fetch", arguments, folder, self.interrupts, progress)
        fetched = json.loads(output)
        if fetched["name"] != source.name:
            self.console.print(
                f"  [yellow]{source.name} can't be reached from here; {fetched['name']} is used "
                "instead[/yellow]"
            )
        self.console.print(
            f"  {fetched['ratings']:,} ratings by {fetched['users']:,} users "
            f"of {fetched['items']:,} items [dim]from {escape(fetched['origin'])}[/dim]"
        )
        return DataSource(fetched["name"], source.items)

    def _first_answer(
        self, server: Child, ask: Callable[[], T], progress: Callable[[str], None]
    ) -> T:
        """Asks until the server is ready and returns its answer; `progress` gets each refusal.

        Raises ClickException with the last refusal after `start_timeout_s`.
        """
        began = time.monotonic()
        while True:
            try:
                return ask()
            except NOT_READY as refusal:
                if time.monotonic() - began > self.start_timeout_s:
                    raise self._not_ready(server, refusal) from refusal
                progress(refusal.message)
            self._pause(server)

    def _not_ready(self, server: Child, refusal: FoldinError) -> click.ClickException:
        match refusal:
            case StoreUnavailable() | DeadlineExceeded() if "FOLDIN_REDIS_URL" in os.environ:
                remedy = "Correct FOLDIN_REDIS_URL; without it, foldin starts a store of its own."
            case ModelNotReady():
                remedy = "`foldin up --retrain` makes another model."
            case _:
                remedy = f"Last line of `foldin serve`: {server.last_line or 'nothing'}"
        return click.ClickException(
            f"not ready after {self.start_timeout_s:g} s: {refusal.message}\n{remedy}"
        )

    def _pause(self, server: Child) -> None:
        """Waits a moment. Raises ChildFailed if the server ended, or Interrupted."""
        self.interrupts.check()
        if (code := server.wait(POLL_INTERVAL_S)) is not None:
            raise server.failure(code)


def tls_from_environment() -> Tls | None:
    """Returns how to reach a server with this environment. Raises ClickException if none can."""
    try:
        return own_tls(os.environ)
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def free_address(address: str) -> str:
    """Returns the address, with a free port in place of port 0.

    Raises ClickException, with the remedy, for one that can't be listened at.
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
            f"can't listen at {address}: {error}. Is foldin running there already? "
            "--address or FOLDIN_ADDRESS chooses another, such as 127.0.0.1:50052"
        ) from error
