"""The console that answers are printed on, and the style of their tables.

Colors, widths and NO_COLOR are handled by rich.
"""

import sys
from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table

PIPE_WIDTH = 10_000  # nothing is cut or wrapped in a pipe
NARROWEST = 40  # in less rich would leave columns empty; the terminal wraps the lines instead


def terminal() -> Console:
    """Returns the console for answers: as wide as the terminal, without a limit in a pipe.

    No text is markup: brackets and colons in ids and titles are printed as they are.
    """
    piped = not sys.stdout.isatty()
    made = Console(highlight=False, markup=False, emoji=False, soft_wrap=piped)
    made.width = PIPE_WIDTH if piped else max(made.width, NARROWEST)
    return made


def table(*columns: str, right: Iterable[str] = ()) -> Table:
    """Returns an empty table. In a narrow terminal ids are folded, never cut."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(
            column,
            justify="right" if column in right else "left",
            overflow="fold",
            style="dim" if column in {"#", "id", "score"} else None,
        )
    return made
