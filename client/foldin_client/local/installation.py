"""One foldin on this machine, from nothing to serving: data, histories, a model, a server.

Each part is the command of that name; what is there already is used as it is.
"""

import json
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click
from rich.console import Console
from rich.markup import escape

from foldin_client.client import Client
from foldin_client.errors import ModelNotReady, StoreUnavailable, Unreachable
from foldin_client.local.children import TICK_S, Child, child, finished
from foldin_client.local.interrupts import Interrupts
from foldin_client.local.steps import step

T = TypeVar("T")

DEFAULT_DATA = "ml-latest-small"


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

    @contextmanager
    def serving(self, source: Source, *, retrain: bool = False) -> Iterator[tuple[Client, Child]]:
        """A client of a server that serves; both have ended after the block.

        Trains on the source where the store has no model yet, or if told to.
        """
        require_free(self.address)
        os.environ.setdefault("FOLDIN_LOG_CALLS", "false")  # its log is only read if it fails
        serve = ("serve", "--address", self.address)
        with (
            tempfile.TemporaryDirectory(prefix="foldin-") as folder,
            child("serve", serve, Path(folder)) as server,
            Client(self.address) as client,
        ):
            with step(self.console, "Starting the store and the server"):
                known = self._once(server, client.list_models)
            if known.current_version and not retrain:
                self.console.print(f"  model {known.current_version} is there already")
            else:
                self._learn(source, Path(folder))
            with step(self.console, "Waiting until the model is served"):
                self._once(server, lambda: client.is_serving() or None)
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

    def _once(self, server: Child, ask: Callable[[], T | None]) -> T:
        """The first answer that is not None; a server that is not ready is asked again."""
        while True:
            with suppress(Unreachable, StoreUnavailable, ModelNotReady):
                if (answer := ask()) is not None:
                    return answer
            self._pause(server)

    def _pause(self, server: Child) -> None:
        """A moment has passed. Raises if the server ended or somebody asked us to stop."""
        self.interrupts.check()
        if (code := server.wait(TICK_S)) is not None:
            raise server.failure(code)


def require_free(address: str) -> None:
    """Nobody listens at the address. Raises ClickException with the remedy otherwise."""
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host.strip("[]"), int(port)))
    except (OSError, ValueError) as error:
        raise click.ClickException(
            f"can't listen at {address}: {error}. Is a foldin up there already? "
            "--address or FOLDIN_ADDRESS chooses another, such as 127.0.0.1:50052"
        ) from error


def free_address() -> str:
    """An address of this machine where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"
