"""A data directory with a planted model and its histories, ready to serve without training."""

import asyncio
import os
from pathlib import Path

from foldin_model.store.embedded_server import embedded_store
from foldin_model.store.redis.models import RedisModelStore
from foldin_model.store.redis.ratings import RedisRatingStore
from planted import Planted
from server.live import import_histories, publish_version


def plant(made: Planted, data_dir: Path) -> str:
    """Stores the model, as the current one, and every history; returns the model's version."""
    with embedded_store(data_dir) as url:
        models = RedisModelStore(url, "default")
        version = publish_version(made, models)
        models.close()
        asyncio.run(_import(made, url))
    return version


async def _import(made: Planted, url: str) -> None:
    ratings = RedisRatingStore(url, "default", timeout_s=10.0)
    await import_histories(made, ratings, tuple(made.histories))
    await ratings.close()


def environment(data_dir: Path) -> dict[str, str]:
    """Returns this process's environment with the data directory as foldin's only setting."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith("FOLDIN_")}
    return plain | {"FOLDIN_DATA_DIR": str(data_dir), "OMP_NUM_THREADS": "1"}
