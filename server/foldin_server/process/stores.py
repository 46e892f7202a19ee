"""The stores that one server serves from, opened by the settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from foldin_model.store.protocols import ModelStore, RatingStore
from foldin_model.store.redis.models import RedisModelStore
from foldin_model.store.redis.ratings import RedisRatingStore
from foldin_model.store.redis.revision_tracker import RevisionTracker

from foldin_server.settings import Settings

MODELS_TIMEOUT_S: Final = 2.0  # a chunk of a model may take longer than the data of one user


@dataclass(frozen=True, slots=True)
class Stores:
    """Ratings, models, and the directory where models are installed.

    The tracker reports every write. Without one, every answer asks the store.
    """

    ratings: RatingStore
    models: ModelStore
    directory: Path
    tracker: RevisionTracker | None = None


@contextmanager
def opened(settings: Settings, url: str, directory: Path) -> Iterator[Stores]:
    """Opens the stores at a URL; the models' one is closed after the block."""
    timeout_s = settings.store_timeout_ms / 1_000
    models = RedisModelStore(url, settings.namespace, timeout_s=MODELS_TIMEOUT_S)
    ratings = RedisRatingStore(url, settings.namespace, timeout_s=timeout_s)
    tracker = None
    if settings.freshness == "bounded":
        tracker = RevisionTracker(url, settings.namespace, timeout_s=timeout_s)
    try:
        yield Stores(ratings, models, directory, tracker)
    finally:
        models.close()
