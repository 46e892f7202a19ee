"""Where a program finds its data directory and its store.

It imports no class that reads or writes a store, so that programs which only pass the URL on start
fast.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from foldin_model.store.embedded_server import embedded_store
from foldin_model.store.url import parse_store_url


def default_data_dir() -> Path:
    """Returns FOLDIN_DATA_DIR where it is set, else `foldin` in the user's data folder."""
    if given := os.environ.get("FOLDIN_DATA_DIR"):
        return Path(given)
    data_home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data_home) / "foldin"


@contextmanager
def running_store_url(redis_url: str | None, data_dir: Path) -> Iterator[str]:
    """Yields the URL of the store to use: `redis_url`, or the embedded store of `data_dir`.

    Raises InvalidField for a URL that is not understood, before anything starts.
    """
    if redis_url:
        yield parse_store_url(redis_url).text
        return
    with embedded_store(data_dir) as url:
        yield url
