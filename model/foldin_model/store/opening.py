"""The one place that opens a store: its URL decides which classes answer.

A store of another kind is a kind of URL in `foldin_model.store.url`, a folder of classes beside
`redis`, and a branch here.
"""

from dataclasses import dataclass

from foldin_model.store.location import default_data_dir, running_store_url
from foldin_model.store.memory.models import MemoryModelStore
from foldin_model.store.operation_protocol import StoreOperations
from foldin_model.store.protocols import ModelStore, RatingStore
from foldin_model.store.redis.models import RedisModelStore
from foldin_model.store.redis.operations import RedisOperations
from foldin_model.store.redis.ratings import RedisRatingStore
from foldin_model.store.redis.revision_tracker import RevisionTracker
from foldin_model.store.revision_protocol import RevisionFeed
from foldin_model.store.url import parse_store_url

__all__ = ["OpenStore", "default_data_dir", "open_memory_models", "open_store", "running_store_url"]


@dataclass(frozen=True, slots=True)
class OpenStore:
    """One namespace of a store, in four parts. Each connects when it is first used.

    Use it with `contextlib.closing`, or with `aclosing` where `ratings` or `revisions` are used.
    """

    ratings: RatingStore
    models: ModelStore
    """Published models; `models.overlay` holds new and hidden items."""
    operations: StoreOperations
    revisions: RevisionFeed

    def close(self) -> None:
        """Gives the connections of models and operations back."""
        self.models.close()
        self.operations.close()

    async def aclose(self) -> None:
        """Gives all connections back when every rating call has its answer."""
        try:
            await self.ratings.close()
        finally:
            self.close()


def open_store(
    url: str, namespace: str, *, timeout_s: float = 1.0, models_timeout_s: float = 5.0
) -> OpenStore:
    """Returns one namespace of the store at `url`; there is no I/O before its first use.

    `timeout_s` is how long a reply about ratings may take, `models_timeout_s` one about models;
    a URL's own `socket_timeout` takes the place of both. Raises InvalidField for a URL or a
    namespace that is not allowed.
    """
    place = parse_store_url(url)
    return OpenStore(
        ratings=RedisRatingStore(place, namespace, timeout_s=timeout_s),
        models=RedisModelStore(place, namespace, timeout_s=models_timeout_s),
        operations=RedisOperations(place, namespace),
        revisions=RevisionTracker(place, namespace, timeout_s=timeout_s),
    )


def open_memory_models() -> ModelStore:
    """Returns an empty store of models in this process's memory, for what is not to be kept."""
    return MemoryModelStore()
