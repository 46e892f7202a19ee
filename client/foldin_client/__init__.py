"""What other services install to ask foldin for recommendations and to tell it ratings.

    with Client("127.0.0.1:50051") as foldin:
        foldin.submit_rating("42", "318", 5.0)
        for item in foldin.recommend("42").items:
            print(item.title)

Names load when first used: the command line answers `--help` without importing grpc.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foldin_client.async_client import AsyncClient as AsyncClient
    from foldin_client.channel.tls import Tls as Tls
    from foldin_client.client import Client as Client
    from foldin_client.errors import FoldinError as FoldinError
    from foldin_client.values import Filter as Filter
    from foldin_client.values import NewRating as NewRating
    from foldin_client.values import Query as Query
    from foldin_client.values import Rating as Rating
    from foldin_client.values.new_items import NewItem as NewItem

_HOMES = {
    "AsyncClient": "foldin_client.async_client",
    "Client": "foldin_client.client",
    "Filter": "foldin_client.values",
    "FoldinError": "foldin_client.errors",
    "NewItem": "foldin_client.values.new_items",
    "NewRating": "foldin_client.values",
    "Query": "foldin_client.values",
    "Rating": "foldin_client.values",
    "Tls": "foldin_client.channel.tls",
}

__all__ = [
    "AsyncClient",
    "Client",
    "Filter",
    "FoldinError",
    "NewItem",
    "NewRating",
    "Query",
    "Rating",
    "Tls",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
