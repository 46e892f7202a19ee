"""The options of the store that a command works on, and the models in it."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

import click
from foldin_model.store.location import running_store_url
from foldin_model.store.opening import open_store
from foldin_model.store.protocols import ModelStore

STORE_TIMEOUT_S: Final = 60.0
P = ParamSpec("P")
T = TypeVar("T")


def takes_store(command: Callable[P, T]) -> Callable[P, T]:
    """Gives the command the options --redis-url and --namespace."""
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


@contextmanager
def opened_models(redis_url: str | None, namespace: str, data_dir: Path) -> Iterator[ModelStore]:
    """Yields the models of the namespace, once it is known to be usable.

    Raises InvalidField, StoreUnavailable, and StoreMismatch for a namespace of other programs.
    """
    with (
        running_store_url(redis_url, data_dir) as url,
        closing(open_store(url, namespace, models_timeout_s=STORE_TIMEOUT_S)) as store,
    ):
        store.models.page_key()  # claims the namespace
        yield store.models
