"""Parsers of the requests that change ratings or the catalog.

Every parser raises InvalidField with all violations of the request.
"""

from collections.abc import Sequence
from typing import Final

from foldin.v1 import catalog_pb2, recommendation_pb2
from foldin_model.ids import ItemId, UserId
from foldin_model.scale import Scale
from foldin_model.store.protocols import RatingWrite
from foldin_model.trained.content_map import Content

from foldin_server.quotation import quoted
from foldin_server.requests.validation import FieldChecks

MAX_TITLE_BYTES: Final = 1_000
MAX_LABEL_BYTES: Final = 100
MAX_GENRES: Final = 50
MAX_TAGS: Final = 100
Write = recommendation_pb2.SubmitRatingRequest | recommendation_pb2.DeleteRatingRequest


def upsert_arguments(
    request: catalog_pb2.UpsertItemsRequest, embedding_length: int
) -> tuple[tuple[ItemId, Content], ...]:
    """Returns the items of an UpsertItems; embeddings must have the serving model's length."""
    checks = FieldChecks()
    if not checks.count("items", len(request.items), least=1):
        checks.raise_violations()
    seen: set[str] = set()
    items = []
    for position, item in enumerate(request.items):
        field = f"items[{position}]"
        items.append((ItemId(item.item_id), _content(checks, field, item, embedding_length)))
        if item.item_id in seen:
            checks.refuse(
                f"{field}.item_id", f"is {quoted(item.item_id)}, which an earlier entry has too"
            )
        seen.add(item.item_id)
    checks.raise_violations()
    return tuple(items)


def availability_arguments(
    request: catalog_pb2.SetItemAvailabilityRequest,
) -> tuple[tuple[ItemId, ...], bool]:
    """Returns the items of a SetItemAvailability, each once, and whether they are available."""
    checks = FieldChecks()
    item_ids = tuple(map(ItemId, checks.identifiers("item_ids", request.item_ids, least=1)))
    if not request.HasField("available"):
        checks.refuse("available", "is not set; it is true or false")
    checks.raise_violations()
    return tuple(dict.fromkeys(item_ids)), request.available


def submission(request: recommendation_pb2.SubmitRatingRequest, scale: Scale) -> RatingWrite:
    """Returns the write of a SubmitRating."""
    checks = FieldChecks()
    value = request.value if request.HasField("value") else None
    write = _write(checks, request, checks.rating("value", value, scale))
    checks.raise_violations()
    return write


def deletion(request: recommendation_pb2.DeleteRatingRequest) -> RatingWrite:
    """Returns the write of a DeleteRating; it has no value."""
    checks = FieldChecks()
    write = _write(checks, request, None)
    checks.raise_violations()
    return write


def _content(
    checks: FieldChecks, field: str, item: catalog_pb2.NewItem, embedding_length: int
) -> Content:
    checks.identifier(f"{field}.item_id", item.item_id)
    year = item.year if item.HasField("year") else None
    if year is not None:
        checks.year(f"{field}.year", year)
    return Content(
        title=checks.text(f"{field}.title", item.title, max_bytes=MAX_TITLE_BYTES),
        genres=_labels(checks, f"{field}.genres", item.genres, MAX_GENRES),
        year=year,
        tags=_labels(checks, f"{field}.tags", item.tags, MAX_TAGS),
        embedding=checks.embedding(f"{field}.embedding", item.embedding, embedding_length),
    )


def _labels(checks: FieldChecks, field: str, labels: Sequence[str], most: int) -> tuple[str, ...]:
    if checks.count(field, len(labels), most=most):
        for position, label in enumerate(labels):
            checks.text(f"{field}[{position}]", label, max_bytes=MAX_LABEL_BYTES)
    return tuple(dict.fromkeys(labels))


def _write(checks: FieldChecks, request: Write, value: float | None) -> RatingWrite:
    event_time = None
    if request.HasField("event_time"):
        sent = request.event_time
        event_time = checks.event_time_us("event_time", sent.seconds, sent.nanos)
    return RatingWrite(
        user_id=UserId(checks.identifier("user_id", request.user_id)),
        item_id=ItemId(checks.identifier("item_id", request.item_id)),
        value=value,
        event_time_us=event_time,
        request_id=checks.request_id("request_id", request.request_id),
    )
