"""Parsers of the requests that read: from protobuf to checked arguments, free of protobuf.

Every parser raises InvalidField with all violations of the request.
"""

from hashlib import blake2b
from typing import Final

from foldin.v1 import catalog_pb2, recommendation_pb2
from foldin_model.ids import ItemId, UserId
from foldin_model.retrieval.filters import NO_FILTER, ItemFilter
from foldin_model.scale import Scale

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
_NO_DIVERSITY: Final = recommendation_pb2.Diversity()
Paged = (
    recommendation_pb2.RecommendRequest
    | recommendation_pb2.SimilarItemsRequest
    | catalog_pb2.ListItemsRequest
    | catalog_pb2.ListPopularItemsRequest
)
AboutUser = recommendation_pb2.RecommendRequest | recommendation_pb2.PredictRatingsRequest


def recommend_arguments(
    request: recommendation_pb2.RecommendRequest, scale: Scale
) -> RecommendArguments:
    """Returns the arguments of a Recommend."""
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
    checks.raise_violations()
    return arguments


def similar_arguments(request: recommendation_pb2.SimilarItemsRequest) -> SimilarArguments:
    """Returns the arguments of a SimilarItems."""
    checks = FieldChecks()
    arguments = SimilarArguments(
        item_id=ItemId(checks.identifier("item_id", request.item_id)),
        page=_page(checks, request),
        item_filter=_item_filter(checks, request),
    )
    checks.raise_violations()
    return arguments


def predict_arguments(
    request: recommendation_pb2.PredictRatingsRequest, scale: Scale
) -> PredictArguments:
    """Returns the arguments of a PredictRatings."""
    checks = FieldChecks()
    arguments = PredictArguments(
        user=_user(checks, request, scale),
        item_ids=tuple(map(ItemId, checks.identifiers("item_ids", request.item_ids, least=1))),
    )
    checks.raise_violations()
    return arguments


def list_arguments(
    request: catalog_pb2.ListItemsRequest | catalog_pb2.ListPopularItemsRequest, query: str = ""
) -> ListArguments:
    """Returns the arguments of a ListItems or a ListPopularItems."""
    checks = FieldChecks()
    unavailable = isinstance(request, catalog_pb2.ListItemsRequest) and request.include_unavailable
    page, item_filter = _page(checks, request), _item_filter(checks, request)
    arguments = ListArguments(query, page, item_filter, unavailable)
    checks.raise_violations()
    return arguments


def state_arguments(request: recommendation_pb2.GetUserStateRequest) -> tuple[UserId, int]:
    """Returns the user that a GetUserState asks for, and how many ratings at most."""
    checks = FieldChecks()
    user_id = UserId(checks.identifier("user_id", request.user_id))
    most = checks.size("max_ratings", request.max_ratings, default=100, most=10_000)
    checks.raise_violations()
    return user_id, most


def checked_id(field: str, value: str) -> str:
    """Returns a single id of a request."""
    checks = FieldChecks()
    checks.identifier(field, value)
    checks.raise_violations()
    return value


def checked_count(field: str, found: int, most: int) -> None:
    """Refuses a list of a request with more than `most` entries."""
    checks = FieldChecks()
    checks.count(field, found, most=most)
    checks.raise_violations()


def checked_size(field: str, value: int, *, default: int, most: int) -> int:
    """Returns a single size of a request: `default` for 0, and `most` for more than that."""
    checks = FieldChecks()
    size = checks.size(field, value, default=default, most=most)
    checks.raise_violations()
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
            sent = rating.event_time
            checks.event_time_us(f"{field}.event_time", sent.seconds, sent.nanos)
    return tuple(ratings.items())


def _page(checks: FieldChecks, request: Paged) -> PageArguments:
    size = checks.size("page_size", request.page_size, default=DEFAULT_PAGE, most=MAX_PAGE)
    return PageArguments(size, request.page_token, _list_digest(request))


def _list_digest(request: Paged) -> bytes:
    """Returns a digest of the list that a request asks for, the same for all of its pages."""
    size, token = request.page_size, request.page_token
    request.ClearField("page_size")
    if token:
        request.ClearField("page_token")
    rest = request.SerializeToString(deterministic=True)
    request.page_size, request.page_token = size, token  # a copy of the message costs more
    return digest(request.DESCRIPTOR.name.encode(), rest)


def digest(message: bytes, fields: bytes) -> bytes:
    """Returns a digest of the name of a message and of its fields as protobuf writes them."""
    return blake2b(message + fields, digest_size=16).digest()


def _item_filter(checks: FieldChecks, request: Paged) -> ItemFilter:
    if not request.HasField("filter"):
        return NO_FILTER  # callers test for it by identity
    sent = request.filter
    low = sent.min_year if sent.HasField("min_year") else None
    high = sent.max_year if sent.HasField("max_year") else None
    checks.years("filter", low, high)
    checks.count("filter.include_genres", len(sent.include_genres))
    checks.count("filter.exclude_genres", len(sent.exclude_genres))
    asked = ItemFilter(
        include_genres=tuple(sent.include_genres),
        exclude_genres=tuple(sent.exclude_genres),
        exclude_item_ids=checks.identifiers("filter.exclude_item_ids", sent.exclude_item_ids),
        candidate_item_ids=checks.identifiers("filter.candidate_item_ids", sent.candidate_item_ids),
        min_year=low,
        max_year=high,
        min_rating_count=checks.not_negative("filter.min_rating_count", sent.min_rating_count),
    )
    return NO_FILTER if asked == NO_FILTER else asked
