"""Progress of steps that take a while: a spinner each in a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

PLAIN_WIDTH = 100
LONGEST_DETAIL = 60


def progress_console() -> Console:
    """Returns a console on stdout, 100 columns wide and without colors outside a terminal."""
    return Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False)


@contextmanager
def step(console: Console, title: str) -> Iterator[Callable[[str], None]]:
    """Shows that the step runs while the block runs, and how long it took after it.

    Gives a function that shows a detail of its progress.
    """
    began = time.monotonic()
    if console.is_terminal:
        with console.status(escape(title)) as status:
            yield lambda detail: status.update(
                f"{escape(title)} [dim]{escape(detail[:LONGEST_DETAIL])}[/dim]"
            )
    else:
        console.print(f"{escape(title)} ...")
        sys.stdout.flush()
        yield lambda _: None
    console.print(f"[green]✓[/green] {escape(title)} [dim]{time.monotonic() - began:.1f} s[/dim]")
