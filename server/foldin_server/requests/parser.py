"""Protobuf requests to checked arguments. Protobuf goes no further in than this module.

Every parser raises InvalidField with all violations of the request.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from foldin.v1 import catalog_pb2, recommendation_pb2
from foldin_model.ids import ItemId, UserId
from foldin_model.retrieval.filters import NO_FILTER, ItemFilter
from foldin_model.scale import Scale
from foldin_model.store.protocols import RatingWrite
from foldin_model.trained.content_map import Content
from google.protobuf.timestamp_pb2 import Timestamp

from foldin_server.quotation import quoted
from foldin_server.requests.arguments import (
    ListArguments,
    PageArguments,
    PredictArguments,
    RecommendArguments,
    SimilarArguments,
    UserArguments,
)
from foldin_server.requests.validation import DEFAULT_PAGE, MAX_PAGE, FieldChecks

DEFAULT_REASONS: Final = 5
MAX_REASONS: Final = 50
MAX_TITLE_BYTES: Final = 1_000
MAX_LABEL_BYTES: Final = 100
MAX_GENRES: Final = 50
MAX_TAGS: Final = 100
_NO_DIVERSITY: Final = recommendation_pb2.Diversity()
Paged = (
    recommendation_pb2.RecommendRequest
    | recommendation_pb2.SimilarItemsRequest
    | catalog_pb2.ListItemsRequest
    | catalog_pb2.ListPopularItemsRequest
)
AboutUser = recommendation_pb2.RecommendRequest | recommendation_pb2.PredictRatingsRequest
Write = recommendation_pb2.SubmitRatingRequest | recommendation_pb2.DeleteRatingRequest


def recommend_arguments(
    request: recommendation_pb2.RecommendRequest, scale: Scale
) -> RecommendArguments:
    """What a Recommend asks for."""
    checks = FieldChecks()
    diversity = request.diversity if request.HasField("diversity") else _NO_DIVERSITY
    reasons = checks.size(
        "max_reasons", request.max_reasons, default=DEFAULT_REASONS, most=MAX_REASONS
    )
    arguments = RecommendArguments(
        user=_user(checks, request, scale, must_be_known=request.require_known_user),
        page=_page(checks, request),
        item_filter=_item_filter(checks, request),
        include_rated=request.HasField("filter") and request.filter.include_rated,
        strength=checks.share("diversity.strength", diversity.strength),
        max_per_cluster=checks.not_negative("diversity.max_per_cluster", diversity.max_per_cluster),
        max_reasons=reasons if request.include_explanations else None,
    )
    checks.done()
    return arguments


def similar_arguments(request: recommendation_pb2.SimilarItemsRequest) -> SimilarArguments:
    """What a SimilarItems asks for."""
    checks = FieldChecks()
    arguments = SimilarArguments(
        item_id=ItemId(checks.identifier("item_id", request.item_id)),
        page=_page(checks, request),
        item_filter=_item_filter(checks, request),
    )
    checks.done()
    return arguments


def predict_arguments(
    request: recommendation_pb2.PredictRatingsRequest, scale: Scale
) -> PredictArguments:
    """What a PredictRatings asks for."""
    checks = FieldChecks()
    arguments = PredictArguments(
        user=_user(checks, request, scale),
        item_ids=tuple(map(ItemId, checks.identifiers("item_ids", request.item_ids, least=1))),
    )
    checks.done()
    return arguments


def list_arguments(
    request: catalog_pb2.ListItemsRequest | catalog_pb2.ListPopularItemsRequest, query: str = ""
) -> ListArguments:
    """What a ListItems or a ListPopularItems asks for."""
    checks = FieldChecks()
    unavailable = isinstance(request, catalog_pb2.ListItemsRequest) and request.include_unavailable
    page, item_filter = _page(checks, request), _item_filter(checks, request)
    arguments = ListArguments(query, page, item_filter, unavailable)
    checks.done()
    return arguments


def upsert_arguments(
    request: catalog_pb2.UpsertItemsRequest, embedding_length: int
) -> tuple[tuple[ItemId, Content], ...]:
    """The items that an UpsertItems adds; embeddings are of the serving model's length."""
    checks = FieldChecks()
    if not checks.count("items", len(request.items), least=1):
        checks.done()
    seen: set[str] = set()
    items = []
    for position, item in enumerate(request.items):
        field = f"items[{position}]"
        items.append((ItemId(item.item_id), _content(checks, field, item, embedding_length)))
        if item.item_id in seen:
            checks.refuse(f"{field}.item_id", f"is {quoted(item.item_id)}, which came before")
        seen.add(item.item_id)
    checks.done()
    return tuple(items)


def availability_arguments(
    request: catalog_pb2.SetItemAvailabilityRequest,
) -> tuple[tuple[ItemId, ...], bool]:
    """The items that a SetItemAvailability is about, each once, and whether they are available."""
    checks = FieldChecks()
    item_ids = tuple(map(ItemId, checks.identifiers("item_ids", request.item_ids, least=1)))
    if not request.HasField("available"):
        checks.refuse("available", "is not set; it is true or false")
    checks.done()
    return tuple(dict.fromkeys(item_ids)), request.available


def submission(request: recommendation_pb2.SubmitRatingRequest, scale: Scale) -> RatingWrite:
    """The rating that a SubmitRating stores."""
    checks = FieldChecks()
    value = request.value if request.HasField("value") else None
    write = _write(checks, request, checks.rating("value", value, scale))
    checks.done()
    return write


def deletion(request: recommendation_pb2.DeleteRatingRequest) -> RatingWrite:
    """The rating that a DeleteRating takes back."""
    checks = FieldChecks()
    write = _write(checks, request, None)
    checks.done()
    return write


def state_arguments(request: recommendation_pb2.GetUserStateRequest) -> tuple[UserId, int]:
    """The user that a GetUserState asks for, and how many ratings at most."""
    checks = FieldChecks()
    user_id = UserId(checks.identifier("user_id", request.user_id))
    most = checks.size("max_ratings", request.max_ratings, default=100, most=10_000)
    checks.done()
    return user_id, most


def checked_id(field: str, value: str) -> str:
    """A single id of a request."""
    checks = FieldChecks()
    checks.identifier(field, value)
    checks.done()
    return value


def checked_count(field: str, found: int, most: int) -> None:
    """Refuses a list of a request that is too long."""
    checks = FieldChecks()
    checks.count(field, found, most=most)
    checks.done()


def checked_size(field: str, value: int, *, default: int, most: int) -> int:
    """A single size of a request: 0 means `default`, more than `most` gives `most`."""
    checks = FieldChecks()
    size = checks.size(field, value, default=default, most=most)
    checks.done()
    return size


def _user(
    checks: FieldChecks, request: AboutUser, scale: Scale, *, must_be_known: bool = False
) -> UserArguments:
    profile = _profile(checks, request.profile, scale) if request.HasField("profile") else ()
    anonymous = not request.user_id and bool(profile)
    if anonymous and (must_be_known or request.min_user_revision):
        checks.refuse("user_id", "is empty, and only a named user is known or has revisions")
    elif not anonymous:
        checks.identifier("user_id", request.user_id)
    return UserArguments(
        user_id=None if anonymous else UserId(request.user_id),
        min_revision=checks.not_negative("min_user_revision", request.min_user_revision),
        profile=profile,
        must_be_known=must_be_known,
    )


def _profile(
    checks: FieldChecks, profile: recommendation_pb2.Profile, scale: Scale
) -> tuple[tuple[ItemId, float], ...]:
    if not checks.count("profile.ratings", len(profile.ratings)):
        return ()
    ratings: dict[ItemId, float] = {}
    for position, rating in enumerate(profile.ratings):
        field = f"profile.ratings[{position}]"
        item_id = ItemId(checks.identifier(f"{field}.item_id", rating.item_id))
        ratings[item_id] = checks.rating(f"{field}.value", rating.value, scale)
        if rating.HasField("event_time"):
            _event_time(checks, f"{field}.event_time", rating.event_time)
    return tuple(ratings.items())


def _page(checks: FieldChecks, request: Paged) -> PageArguments:
    size = checks.size("page_size", request.page_size, default=DEFAULT_PAGE, most=MAX_PAGE)
    return PageArguments(size, request.page_token, _list_digest(request))


def _list_digest(request: Paged) -> bytes:
    """Names the list that a request asks for, whichever part of it."""
    size, token = request.page_size, request.page_token
    request.ClearField("page_size")
    if token:
        request.ClearField("page_token")
    rest = request.SerializeToString(deterministic=True)
    request.page_size, request.page_token = size, token  # a copy of all fields costs more
    return digest(request.DESCRIPTOR.name.encode(), rest)


def digest(message: bytes, fields: bytes) -> bytes:
    """Names a request by the name of its message and its fields as protobuf writes them."""
    return blake2b(message + fields, digest_size=16).digest()


def _item_filter(checks: FieldChecks, request: Paged) -> ItemFilter:
    if not request.HasField("filter"):
        return NO_FILTER  # which is found by identity
    item_filter = request.filter
    low = item_filter.min_year if item_filter.HasField("min_year") else None
    high = item_filter.max_year if item_filter.HasField("max_year") else None
    checks.years("filter", low, high)
    checks.count("filter.include_genres", len(item_filter.include_genres))
    checks.count("filter.exclude_genres", len(item_filter.exclude_genres))
    asked = ItemFilter(
        include_genres=tuple(item_filter.include_genres),
        exclude_genres=tuple(item_filter.exclude_genres),
        exclude_item_ids=checks.identifiers(
            "filter.exclude_item_ids", item_filter.exclude_item_ids
        ),
        candidate_item_ids=checks.identifiers(
            "filter.candidate_item_ids", item_filter.candidate_item_ids
        ),
        min_year=low,
        max_year=high,
        min_rating_count=checks.not_negative("filter.min_rating_count", item_filter.min_rating_count),
    )
    return NO_FILTER if asked == NO_FILTER else asked


def _content(
    checks: FieldChecks, field: str, item: catalog_pb2.NewItem, embedding_length: int
) -> Content:
    checks.identifier(f"{field}.item_id", item.item_id)
    year = item.year if item.HasField("year") else None
    if year is not None:
        checks.year(f"{field}.year", year)
    return Content(
        title=checks.text(f"{field}.title", item.title, most_bytes=MAX_TITLE_BYTES),
        genres=_labels(checks, f"{field}.genres", item.genres, MAX_GENRES),
        year=year,
        tags=_labels(checks, f"{field}.tags", item.tags, MAX_TAGS),
        embedding=checks.embedding(f"{field}.embedding", item.embedding, embedding_length),
    )


def _labels(checks: FieldChecks, field: str, labels: Sequence[str], most: int) -> tuple[str, ...]:
    if checks.count(field, len(labels), most=most):
        for position, label in enumerate(labels):
            checks.text(f"{field}[{position}]", label, most_bytes=MAX_LABEL_BYTES)
    return tuple(dict.fromkeys(labels))


def _write(checks: FieldChecks, request: Write, value: float | None) -> RatingWrite:
    event_time = None
    if request.HasField("event_time"):
        event_time = _event_time(checks, "event_time", request.event_time)
    return RatingWrite(
        user_id=UserId(checks.identifier("user_id", request.user_id)),
        item_id=ItemId(checks.identifier("item_id", request.item_id)),
        value=value,
        event_time_us=event_time,
        request_id=checks.request_id("request_id", request.request_id),
    )


def _event_time(checks: FieldChecks, field: str, event_time: Timestamp) -> int:
    return checks.event_time_us(field, event_time.seconds, event_time.nanos)
