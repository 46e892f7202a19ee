"""Opens a store: the only place that chooses the classes behind a URL.

To add another kind of store, add its kind of URL to `foldin_model.store.url`, a folder of classes
beside `redis`, and a branch in `open_store`.
"""

from dataclasses import dataclass

from foldin_model.store.memory.models import MemoryModelStore
from foldin_model.store.operation_protocol import StoreOperations
from foldin_model.store.protocols import ModelStore, RatingStore
from foldin_model.store.redis.models import RedisModelStore
from foldin_model.store.redis.operations import RedisOperations
from foldin_model.store.redis.ratings import RedisRatingStore
from foldin_model.store.redis.revision_tracker import RevisionTracker
from foldin_model.store.revision_protocol import RevisionFeed
from foldin_model.store.url import parse_store_url


@dataclass(frozen=True, slots=True)
class OpenStore:
    """One namespace of a store, in four parts that connect when they are first used.

    Use it in `contextlib.closing`, or in `contextlib.aclosing` where `ratings` are used.
    """

    ratings: RatingStore
    models: ModelStore
    """Published models; `models.overlay` holds new and hidden items."""
    operations: StoreOperations
    revisions: RevisionFeed

    def close(self) -> None:
        """Closes the connections of models and operations."""
        self.models.close()
        self.operations.close()

    async def aclose(self) -> None:
        """Closes all connections, after the replies to rating calls under way."""
        try:
            await self.ratings.close()
        finally:
            self.close()


def open_store(
    url: str, namespace: str, *, timeout_s: float = 1.0, models_timeout_s: float = 5.0
) -> OpenStore:
    """Returns one namespace of the store at `url`, without any I/O.

    A reply about ratings may take `timeout_s`, one about models `models_timeout_s`; the URL's own
    `socket_timeout` replaces both. Raises InvalidField for a URL or a namespace that is not
    allowed.
    """
    place = parse_store_url(url)
    return OpenStore(
        ratings=RedisRatingStore(place, namespace, timeout_s=timeout_s),
        models=RedisModelStore(place, namespace, timeout_s=models_timeout_s),
        operations=RedisOperations(place, namespace),
        revisions=RevisionTracker(place, namespace, timeout_s=timeout_s),
    )


def open_memory_models() -> ModelStore:
    """Returns an empty model store in memory, for models that need not outlive the process."""
    return MemoryModelStore()
