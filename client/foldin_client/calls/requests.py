"""Parts of protobuf requests that more than one RPC needs, made from the caller's arguments."""

from collections.abc import Sequence
from datetime import datetime

from foldin.v1 import catalog_pb2, ratings_pb2, recommendation_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from foldin_client import values

NO_FILTER = values.Filter()


def recommend_request(query: values.Query) -> recommendation_pb2.RecommendRequest:
    return recommendation_pb2.RecommendRequest(
        user_id=query.user_id,
        page_size=query.page_size,
        page_token=query.page_token,
        filter=item_filter(query.filter),
        diversity=recommendation_pb2.Diversity(
            strength=query.diversity, max_per_cluster=query.max_per_cluster
        ),
        include_explanations=query.explain,
        max_reasons=query.max_reasons,
        min_user_revision=query.min_user_revision,
        require_known_user=query.require_known_user,
        profile=profile_of(query.profile),
    )


def item_filter(conditions: values.Filter) -> ratings_pb2.ItemFilter:
    return ratings_pb2.ItemFilter(
        include_genres=conditions.include_genres,
        exclude_genres=conditions.exclude_genres,
        exclude_item_ids=conditions.exclude_item_ids,
        candidate_item_ids=conditions.candidate_item_ids,
        min_year=conditions.min_year,
        max_year=conditions.max_year,
        include_rated=conditions.include_rated,
        min_rating_count=conditions.min_rating_count,
    )


def profile_of(ratings: Sequence[values.Rating]) -> recommendation_pb2.Profile:
    return recommendation_pb2.Profile(
        ratings=[
            ratings_pb2.Rating(
                item_id=rating.item_id, value=rating.value, event_time=timestamp(rating.event_time)
            )
            for rating in ratings
        ]
    )


def submit_request(rating: values.NewRating) -> recommendation_pb2.SubmitRatingRequest:
    return recommendation_pb2.SubmitRatingRequest(
        user_id=rating.user_id,
        item_id=rating.item_id,
        value=rating.value,
        event_time=timestamp(rating.event_time),
        request_id=rating.request_id,
    )


def new_item(item: values.NewItem) -> catalog_pb2.NewItem:
    return catalog_pb2.NewItem(
        item_id=item.item_id,
        title=item.title,
        genres=item.genres,
        year=item.year,
        tags=item.tags,
        embedding=item.embedding,
    )


def timestamp(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
