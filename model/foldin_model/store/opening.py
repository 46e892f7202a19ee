"""Where a program finds its store and its data; it starts a store only where none is given."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis.connection import parse_url

from foldin_model.errors import InvalidField, Violation
from foldin_model.store.embedded import embedded_store


def default_data_dir() -> Path:
    """FOLDIN_DATA_DIR where it is set, else `foldin` in the user's data folder."""
    if given := os.environ.get("FOLDIN_DATA_DIR"):
        return Path(given)
    data_home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data_home) / "foldin"


@contextmanager
def open_store_url(redis_url: str | None, data_dir: Path) -> Iterator[str]:
    """The url of the store to use: the one given, or the embedded one of `data_dir`.

    Raises InvalidField for a url that is none of a store.
    """
    if redis_url:
        try:
            parse_url(redis_url)  # type: ignore[no-untyped-call]
        except ValueError as error:
            remedy = "is no url of a store; write redis://host:6379/0, rediss:// or unix:///path"
            raise InvalidField(Violation("redis_url", remedy)) from error
        yield redis_url
        return
    with embedded_store(data_dir) as url:
        yield url
