"""Output of commands: results go to stdout, all else to stderr, failures are one line.

Progress is a bar in a terminal and a plain line now and then elsewhere.
"""

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import ParamSpec, Protocol, TypeVar

import click
from foldin_model.errors import FoldinError
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

P = ParamSpec("P")
T = TypeVar("T")


class Advance(Protocol):
    """Called with the amount that is done, and with the total if it is known."""

    def __call__(self, done: int, total: int | None, /) -> None: ...


def printing_errors(command: Callable[P, T]) -> Callable[P, T]:
    """Makes the command print a FoldinError as `error: ...` on stderr and exit with 1."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except FoldinError as failure:
            click.echo(f"error: {failure}", err=True)
            raise click.exceptions.Exit(1) from None

    return wrapped


def say(text: str) -> None:
    """Prints a line on stderr."""
    click.echo(text, err=True)


def print_facts(facts: Mapping[str, str]) -> None:
    """Prints lines with aligned labels on stdout."""
    width = max(map(len, facts))
    for label, fact in facts.items():
        click.echo(f"{label:<{width}}  {fact}")


def print_json(value: object) -> None:
    """Prints one line of JSON on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False))


@contextmanager
def progress(label: str, *, in_bytes: bool = False) -> Iterator[Advance]:
    """Yields a function to report progress with; it is a bar only in a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain(label, in_bytes=in_bytes)
        return
    amount = DownloadColumn() if in_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), amount, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _plain(label: str, *, in_bytes: bool) -> Advance:
    """Returns a function that prints a line at every quarter of a known total."""
    said = 0

    def advance(done: int, total: int | None, /) -> None:
        nonlocal said
        quarter = 4 * done // total if total else 0
        if total and quarter > said:
            said = quarter
            size = f"{total / 1e6:,.1f} MB" if in_bytes else f"{total:,}"
            say(f"{label}: {25 * quarter}% of {size}")

    return advance
