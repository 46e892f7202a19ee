"""The RPCs of CatalogService as pure functions: each returns an `Rpc`, nothing is sent.

The clients send them as methods of the same names; the docstrings describe those methods.
"""

from collections.abc import Sequence

from foldin.v1 import catalog_pb2

from foldin_client import values
from foldin_client.calls import responses
from foldin_client.calls.requests import NO_FILTER, item_filter, new_item
from foldin_client.calls.rpc import Rpc, unary

SERVICE = "foldin.v1.CatalogService"


def get_item(item_id: str) -> Rpc[values.Item]:
    """Returns the item as the serving model's catalog has it. Raises ItemNotFound."""
    return unary(
        SERVICE,
        "GetItem",
        catalog_pb2.GetItemRequest(item_id=item_id),
        catalog_pb2.GetItemResponse,
        lambda response: responses.item(response.item),
    )


def list_items(
    query: str = "",
    *,
    filter: values.Filter = NO_FILTER,  # noqa: A002
    page_size: int = 0,
    page_token: str = "",
    include_unavailable: bool = False,
) -> Rpc[values.ItemPage]:
    """Returns items whose titles have the words of the query, best match first."""
    request = catalog_pb2.ListItemsRequest(
        query=query,
        filter=item_filter(filter),
        page_size=page_size,
        page_token=page_token,
        include_unavailable=include_unavailable,
    )
    return unary(SERVICE, "ListItems", request, catalog_pb2.ListItemsResponse, responses.item_page)


def list_item_clusters(*, max_items: int = 0) -> Rpc[values.ItemClusters]:
    """Returns groups of items that the same users like; `max_items` of each, 0 means 5."""
    return unary(
        SERVICE,
        "ListItemClusters",
        catalog_pb2.ListItemClustersRequest(max_items=max_items),
        catalog_pb2.ListItemClustersResponse,
        responses.item_clusters,
    )


def list_popular_items(
    *,
    filter: values.Filter = NO_FILTER,  # noqa: A002
    page_size: int = 0,
    page_token: str = "",
) -> Rpc[values.ScoredPage]:
    """Returns the most popular items, which is what a user without ratings gets."""
    request = catalog_pb2.ListPopularItemsRequest(
        filter=item_filter(filter), page_size=page_size, page_token=page_token
    )
    return unary(
        SERVICE,
        "ListPopularItems",
        request,
        catalog_pb2.ListPopularItemsResponse,
        responses.scored_page,
    )


def upsert_items(items: Sequence[values.NewItem]) -> Rpc[values.UpsertResult]:
    """Adds or changes all of the items, or none; every server recommends them within a second.

    At most 1,000 items. Sending the same items again changes nothing.
    """
    return unary(
        SERVICE,
        "UpsertItems",
        catalog_pb2.UpsertItemsRequest(items=map(new_item, items)),
        catalog_pb2.UpsertItemsResponse,
        responses.upsert_result,
    )


def set_item_availability(
    item_ids: Sequence[str], *, available: bool
) -> Rpc[values.AvailabilityResult]:
    """Hides the items from every list, or shows them again: all of them or none.

    At most 1,000 items.
    """
    return unary(
        SERVICE,
        "SetItemAvailability",
        catalog_pb2.SetItemAvailabilityRequest(item_ids=item_ids, available=available),
        catalog_pb2.SetItemAvailabilityResponse,
        responses.availability_result,
    )
