"""How a command is told which store it works on. Opening it is `foldin_model.store.opening`."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import click

P = ParamSpec("P")
T = TypeVar("T")


def takes_store(command: Callable[P, T]) -> Callable[P, T]:
    """The command has the options --redis-url and --namespace."""
    named = click.option(
        "--namespace",
        envvar="FOLDIN_NAMESPACE",
        default="default",
        show_default=True,
        show_envvar=True,
        help="Which of the store's namespaces.",
    )
    located = click.option(
        "--redis-url",
        envvar="FOLDIN_REDIS_URL",
        show_envvar=True,
        help="A Redis 7+ or Valkey 8+; without it the embedded one in the data directory.",
    )
    return located(named(command))
