"""New items of a running server: calls that add, hide and show them."""

from typing import Any

from foldin.v1 import catalog_pb2 as pb
from foldin.v1 import recommendation_pb2 as rpb
from server.live import (
    Live,
    ids,
    ids_of,
)

NIGHT = pb.NewItem(
    item_id="night", title="Night of the Void", genres=["Horror"], year=2024, tags=["dark"]
)
OLD = "102"


async def upsert(app: Live, *items: pb.NewItem) -> pb.UpsertItemsResponse:
    answer: pb.UpsertItemsResponse = await app.catalog.UpsertItems(
        pb.UpsertItemsRequest(items=items)
    )
    return answer


async def show(app: Live, *item_ids: str, available: bool) -> pb.SetItemAvailabilityResponse:
    answer: pb.SetItemAvailabilityResponse = await app.catalog.SetItemAvailability(
        pb.SetItemAvailabilityRequest(item_ids=item_ids, available=available)
    )
    return answer


async def item(app: Live, item_id: str) -> pb.Item:
    answer: pb.GetItemResponse = await app.catalog.GetItem(pb.GetItemRequest(item_id=item_id))
    return answer.item


async def search(app: Live, query: str, **fields: Any) -> list[str]:
    return ids(await app.catalog.ListItems(pb.ListItemsRequest(query=query, **fields)))


async def similar(app: Live, item_id: str, size: int = 40) -> list[str]:
    request = rpb.SimilarItemsRequest(item_id=item_id, page_size=size)
    return ids(await app.recommendations.SimilarItems(request))


async def predicted(app: Live, user: str, item_id: str) -> float:
    request = rpb.PredictRatingsRequest(user_id=user, item_ids=[item_id])
    answer = await app.recommendations.PredictRatings(request)
    return float(answer.predictions[0].predicted_rating)


async def everything(app: Live, user: str, **fields: Any) -> list[str]:
    """Returns the item ids of a user's whole list."""
    return ids_of(await app.pages(user, 200, **fields))
