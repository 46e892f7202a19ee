"""The RPCs of RecommendationService as pure functions: arguments in, a call out.

Nothing is sent here.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from foldin.v1 import recommendation_pb2

from foldin_client import values
from foldin_client.calls import answers
from foldin_client.calls.requests import (
    EVERYTHING,
    item_filter,
    profile_of,
    recommend_request,
    submit_request,
    timestamp,
)
from foldin_client.calls.rpc import Call, call
from foldin_client.errors import FoldinError

SERVICE = "foldin.v1.RecommendationService"


def recommend(
    user_id: str = "",
    *,
    page_size: int = 0,
    page_token: str = "",
    filter: values.Filter = EVERYTHING,  # noqa: A002  the contract's name
    diversity: float = 0.0,
    max_per_cluster: int = 0,
    explain: bool = False,
    max_reasons: int = 0,
    min_user_revision: int = 0,
    require_known_user: bool = False,
    profile: Sequence[values.Rating] = (),
) -> Call[values.ScoredPage]:
    """The items the user would like best, best first; rated ones are left out.

    `page_size` 0 means 10, at most 200. `diversity` 0 to 1 trades score for variety. `explain` adds
    the reasons. `profile` ratings count for this call only; with them the user_id may be empty.
    `min_user_revision`, from a write, makes any server answer with that write or not at all.
    """
    query = values.Query(
        user_id=user_id,
        page_size=page_size,
        page_token=page_token,
        filter=filter,
        diversity=diversity,
        max_per_cluster=max_per_cluster,
        explain=explain,
        max_reasons=max_reasons,
        min_user_revision=min_user_revision,
        require_known_user=require_known_user,
        profile=tuple(profile),
    )
    return call(
        SERVICE,
        "Recommend",
        recommend_request(query),
        recommendation_pb2.RecommendResponse,
        answers.scored_page,
    )


def batch_recommend(
    queries: Sequence[values.Query],
) -> Call[tuple[values.ScoredPage | FoldinError, ...]]:
    """One answer or error a query, in the same order; at most 100 queries."""
    return call(
        SERVICE,
        "BatchRecommend",
        recommendation_pb2.BatchRecommendRequest(requests=map(recommend_request, queries)),
        recommendation_pb2.BatchRecommendResponse,
        lambda answer: tuple(map(answers.page_or_error, answer.results)),
    )


def similar_items(
    item_id: str,
    *,
    page_size: int = 0,
    page_token: str = "",
    filter: values.Filter = EVERYTHING,  # noqa: A002
) -> Call[values.ScoredPage]:
    """The items most like another, which is left out."""
    request = recommendation_pb2.SimilarItemsRequest(
        item_id=item_id, page_size=page_size, page_token=page_token, filter=item_filter(filter)
    )
    return call(
        SERVICE,
        "SimilarItems",
        request,
        recommendation_pb2.SimilarItemsResponse,
        answers.scored_page,
    )


def submit_rating(
    user_id: str,
    item_id: str,
    value: float,
    *,
    event_time: datetime | None = None,
    request_id: str | None = None,
) -> Call[values.Written]:
    """The rating is stored; the next recommendations of this user reflect it.

    Sent again with the same request_id (a UUID, made up where not given) it changes nothing.
    """
    new = values.NewRating(user_id, item_id, value, event_time, request_id or str(uuid4()))
    return call(
        SERVICE,
        "SubmitRating",
        submit_request(new),
        recommendation_pb2.SubmitRatingResponse,
        lambda answer: answers.written(answer, new.request_id),
    )


def delete_rating(
    user_id: str,
    item_id: str,
    *,
    event_time: datetime | None = None,
    request_id: str | None = None,
) -> Call[values.Written]:
    """The rating is taken back, as if it had never been given."""
    sent_as = request_id or str(uuid4())
    request = recommendation_pb2.DeleteRatingRequest(
        user_id=user_id, item_id=item_id, event_time=timestamp(event_time), request_id=sent_as
    )
    return call(
        SERVICE,
        "DeleteRating",
        request,
        recommendation_pb2.DeleteRatingResponse,
        lambda answer: answers.written(answer, sent_as),
    )


def batch_submit_ratings(
    ratings: Sequence[values.NewRating],
) -> Call[tuple[values.Written | FoldinError, ...]]:
    """One outcome a rating, in the same order; each is stored by itself. At most 1,000."""
    return call(
        SERVICE,
        "BatchSubmitRatings",
        recommendation_pb2.BatchSubmitRatingsRequest(requests=map(submit_request, ratings)),
        recommendation_pb2.BatchSubmitRatingsResponse,
        lambda answer: tuple(
            answers.written_or_error(result, rating.request_id)
            for rating, result in zip(ratings, answer.results, strict=True)
        ),
    )


def predict_ratings(
    user_id: str,
    item_ids: Sequence[str],
    *,
    min_user_revision: int = 0,
    profile: Sequence[values.Rating] = (),
) -> Call[values.Predictions]:
    """What the user would rate each item, in the same order; at most 1,000 items."""
    request = recommendation_pb2.PredictRatingsRequest(
        user_id=user_id,
        item_ids=item_ids,
        min_user_revision=min_user_revision,
        profile=profile_of(profile),
    )
    return call(
        SERVICE,
        "PredictRatings",
        request,
        recommendation_pb2.PredictRatingsResponse,
        answers.predictions,
    )


def get_user_state(user_id: str, *, max_ratings: int = 0) -> Call[values.UserState]:
    """What is kept of the user, latest rating first; `max_ratings` 0 means 100, at most 10,000."""
    return call(
        SERVICE,
        "GetUserState",
        recommendation_pb2.GetUserStateRequest(user_id=user_id, max_ratings=max_ratings),
        recommendation_pb2.GetUserStateResponse,
        answers.user_state,
    )
