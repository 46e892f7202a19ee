"""The client of foldin: asks its servers for recommendations and sends them ratings.

    with Client("127.0.0.1:50051") as foldin:
        foldin.submit_rating("42", "318", 5.0)
        for item in foldin.recommend("42").items:
            print(item.title)

Names are imported when first used, so that `foldin --help` does not wait for grpc.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foldin_client.async_client import AsyncClient as AsyncClient
    from foldin_client.channel.tls import Tls as Tls
    from foldin_client.client import Client as Client
    from foldin_client.errors import FoldinError as FoldinError
    from foldin_client.values import Filter as Filter
    from foldin_client.values import NewItem as NewItem
    from foldin_client.values import NewRating as NewRating
    from foldin_client.values import Query as Query
    from foldin_client.values import Rating as Rating

_MODULES = {
    "AsyncClient": "foldin_client.async_client",
    "Client": "foldin_client.client",
    "Filter": "foldin_client.values",
    "FoldinError": "foldin_client.errors",
    "NewItem": "foldin_client.values",
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
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
