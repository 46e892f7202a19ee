"""How work that takes a while is shown: a spinner a step in a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

PLAIN_WIDTH = 100
LONGEST_DETAIL = 60


def stage() -> Console:
    """Where everything is told: stdout, without colours where no person reads."""
    return Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False)


@contextmanager
def step(console: Console, title: str) -> Iterator[Callable[[str], None]]:
    """Shows that the step goes on inside the block, and how long it took after it.

    Gives what to tell about its progress.
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
