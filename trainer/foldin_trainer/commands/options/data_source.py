"""The argument SOURCE and its options: a data set by name, or by path with the columns of its file.

`foldin_trainer.data` reads it.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

import click
from foldin_model.scale import Scale
from foldin_model.store.location import default_data_dir

from foldin_trainer.data import Columns, Dataset, load_dataset
from foldin_trainer.data.cache import DEFAULT_EDITION

P = ParamSpec("P")
T = TypeVar("T")


class ScaleType(click.ParamType[Scale]):
    """LOW:HIGH, such as 1:5."""

    name = "LOW:HIGH"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Scale:
        if isinstance(value, Scale):
            return value
        low, _, high = str(value).partition(":")
        try:
            scale = Scale(float(low), float(high))
        except ValueError:
            self.fail(f"{value!r} is not LOW:HIGH, such as 1:5", param, ctx)
        if not math.isfinite(scale.high - scale.low):
            self.fail(f"{value!r}: both ends must be finite", param, ctx)
        if not scale.low < scale.high:
            self.fail(f"{value!r}: the low end must be below the high end", param, ctx)
        return scale


@dataclass(frozen=True, slots=True)
class Source:
    """The data set that the caller named, not yet read."""

    name: str
    data_dir: Path
    scale: Scale | None
    items: Path | None
    columns: Columns
    users: Path | None = None

    def load(self) -> Dataset:
        """Returns the data set, checked. Raises DataError."""
        return load_dataset(
            self.name,
            scale=self.scale,
            items=self.items,
            users=self.users,
            columns=self.columns,
            data_dir=self.data_dir,
        )


def takes_data_dir(command: Callable[P, T]) -> Callable[P, T]:
    """Gives the command the option --data-dir, which it receives as `data_dir`."""
    return click.option(
        "--data-dir",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="FOLDIN_DATA_DIR",
        default=default_data_dir,
        show_default="the user's data folder",
        show_envvar=True,
        help="Where data sets, the store and models are kept.",
    )(command)


def takes_source(command: Callable[..., T]) -> Callable[..., T]:
    """Gives the command the argument SOURCE and its options, which it receives as a `Source`.

    --data-dir is one of them: the source has `data_dir`.
    """

    @functools.wraps(command)
    def wrapped(
        *,
        source: str,
        data_dir: Path,
        scale: Scale | None,
        items: Path | None,
        users: Path | None,
        user_column: str | None,
        item_column: str | None,
        rating_column: str | None,
        timestamp_column: str | None,
        **others: object,
    ) -> T:
        columns = Columns(user_column, item_column, rating_column, timestamp_column)
        return command(Source(source, data_dir, scale, items, columns, users), **others)

    decorated: Callable[..., T] = wrapped
    for kind in ("timestamp", "rating", "item", "user"):
        decorated = click.option(
            f"--{kind}-column", metavar="NAME", help=f"Column of the {kind} in a file of your own."
        )(decorated)
    decorated = click.option(
        "--items",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Table of items for a file of your own: id, title, genres, year, tags, embedding "
        "(CSV or Parquet).",
    )(decorated)
    decorated = click.option(
        "--users",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Table of users for a file of your own: user and columns of words or numbers.",
    )(decorated)
    decorated = click.option(
        "--scale",
        type=ScaleType(),
        help="Lowest and highest rating; otherwise known (MovieLens) or taken from the ratings.",
    )(decorated)
    decorated = takes_data_dir(decorated)
    return click.argument("source", default=DEFAULT_EDITION)(decorated)
