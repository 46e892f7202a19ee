"""The RPCs of CatalogService as pure functions: arguments in, a call out. Nothing is sent."""

from collections.abc import Sequence

from foldin.v1 import catalog_pb2

from foldin_client import values
from foldin_client.calls import answers
from foldin_client.calls.requests import EVERYTHING, item_filter, new_item
from foldin_client.calls.rpc import Call, call
from foldin_client.values import new_items

SERVICE = "foldin.v1.CatalogService"


def get_item(item_id: str) -> Call[values.Item]:
    """The item as the serving model's catalogue has it."""
    return call(
        SERVICE,
        "GetItem",
        catalog_pb2.GetItemRequest(item_id=item_id),
        catalog_pb2.GetItemResponse,
        lambda answer: answers.item(answer.item),
    )


def list_items(
    query: str = "",
    *,
    filter: values.Filter = EVERYTHING,  # noqa: A002
    page_size: int = 0,
    page_token: str = "",
    include_unavailable: bool = False,
) -> Call[values.ItemPage]:
    """Items whose titles have the words of the query, best match first."""
    request = catalog_pb2.ListItemsRequest(
        query=query,
        filter=item_filter(filter),
        page_size=page_size,
        page_token=page_token,
        include_unavailable=include_unavailable,
    )
    return call(SERVICE, "ListItems", request, catalog_pb2.ListItemsResponse, answers.item_page)


def list_item_clusters(*, max_items: int = 0) -> Call[values.ItemClusters]:
    """Groups of items that the same users like; `max_items` a group, 0 means 5."""
    return call(
        SERVICE,
        "ListItemClusters",
        catalog_pb2.ListItemClustersRequest(max_items=max_items),
        catalog_pb2.ListItemClustersResponse,
        answers.item_clusters,
    )


def list_popular_items(
    *,
    filter: values.Filter = EVERYTHING,  # noqa: A002
    page_size: int = 0,
    page_token: str = "",
) -> Call[values.ScoredPage]:
    """What a user nobody knows is shown."""
    request = catalog_pb2.ListPopularItemsRequest(
        filter=item_filter(filter), page_size=page_size, page_token=page_token
    )
    return call(
        SERVICE,
        "ListPopularItems",
        request,
        catalog_pb2.ListPopularItemsResponse,
        answers.scored_page,
    )


def upsert_items(items: Sequence[new_items.NewItem]) -> Call[new_items.ItemsAdded]:
    """All of the items are there, or none; every server recommends them within a second.

    At most 1,000. Sent again, the same items change nothing.
    """
    return call(
        SERVICE,
        "UpsertItems",
        catalog_pb2.UpsertItemsRequest(items=map(new_item, items)),
        catalog_pb2.UpsertItemsResponse,
        answers.items_added,
    )


def set_item_availability(
    item_ids: Sequence[str], *, available: bool
) -> Call[new_items.AvailabilitySet]:
    """No list shows the items any more, or lists show them again; all or none. At most 1,000."""
    return call(
        SERVICE,
        "SetItemAvailability",
        catalog_pb2.SetItemAvailabilityRequest(item_ids=item_ids, available=available),
        catalog_pb2.SetItemAvailabilityResponse,
        answers.availability_set,
    )
