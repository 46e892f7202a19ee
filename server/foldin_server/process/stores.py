"""The stores that one server serves from, opened as its settings say."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from foldin_model.store.opening import open_store
from foldin_model.store.protocols import ModelStore, RatingStore
from foldin_model.store.revision_protocol import RevisionFeed

from foldin_server.settings import Settings

MODELS_TIMEOUT_S: Final = 2.0  # a chunk of a model may take longer than the data of one user


@dataclass(frozen=True, slots=True)
class Stores:
    """Ratings, models, and the directory where models are installed.

    `revisions` reports every write. Without it, every answer asks the store.
    """

    ratings: RatingStore
    models: ModelStore
    directory: Path
    revisions: RevisionFeed | None = None


@asynccontextmanager
async def opened(settings: Settings, url: str, directory: Path) -> AsyncIterator[Stores]:
    """Opens the store at a URL, which is closed after the block."""
    store = open_store(
        url,
        settings.namespace,
        timeout_s=settings.store_timeout_ms / 1_000,
        models_timeout_s=MODELS_TIMEOUT_S,
    )
    async with aclosing(store):
        revisions = store.revisions if settings.freshness == "bounded" else None
        yield Stores(store.ratings, store.models, directory, revisions)
