import datetime

from foldin.v1 import ratings_pb2 as _ratings_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecommendRequest(_message.Message):
    __slots__ = ("user_id", "page_size", "page_token", "filter", "diversity", "include_explanations", "min_user_revision", "require_known_user", "profile", "max_reasons")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    DIVERSITY_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_EXPLANATIONS_FIELD_NUMBER: _ClassVar[int]
    MIN_USER_REVISION_FIELD_NUMBER: _ClassVar[int]
    REQUIRE_KNOWN_USER_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    MAX_REASONS_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    page_size: int
    page_token: str
    filter: _ratings_pb2.ItemFilter
    diversity: Diversity
    include_explanations: bool
    min_user_revision: int
    require_known_user: bool
    profile: Profile
    max_reasons: int
    def __init__(self, user_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., filter: _Optional[_Union[_ratings_pb2.ItemFilter, _Mapping]] = ..., diversity: _Optional[_Union[Diversity, _Mapping]] = ..., include_explanations: bool = ..., min_user_revision: _Optional[int] = ..., require_known_user: bool = ..., profile: _Optional[_Union[Profile, _Mapping]] = ..., max_reasons: _Optional[int] = ...) -> None: ...

class Diversity(_message.Message):
    __slots__ = ("strength", "max_per_cluster")
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    MAX_PER_CLUSTER_FIELD_NUMBER: _ClassVar[int]
    strength: float
    max_per_cluster: int
    def __init__(self, strength: _Optional[float] = ..., max_per_cluster: _Optional[int] = ...) -> None: ...

class Profile(_message.Message):
    __slots__ = ("ratings",)
    RATINGS_FIELD_NUMBER: _ClassVar[int]
    ratings: _containers.RepeatedCompositeFieldContainer[_ratings_pb2.Rating]
    def __init__(self, ratings: _Optional[_Iterable[_Union[_ratings_pb2.Rating, _Mapping]]] = ...) -> None: ...

class RecommendResponse(_message.Message):
    __slots__ = ("items", "next_page_token", "serving_info")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SERVING_INFO_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[_ratings_pb2.ScoredItem]
    next_page_token: str
    serving_info: _ratings_pb2.ServingInfo
    def __init__(self, items: _Optional[_Iterable[_Union[_ratings_pb2.ScoredItem, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., serving_info: _Optional[_Union[_ratings_pb2.ServingInfo, _Mapping]] = ...) -> None: ...

class SimilarItemsRequest(_message.Message):
    __slots__ = ("item_id", "page_size", "page_token", "filter")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    page_size: int
    page_token: str
    filter: _ratings_pb2.ItemFilter
    def __init__(self, item_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., filter: _Optional[_Union[_ratings_pb2.ItemFilter, _Mapping]] = ...) -> None: ...

class SimilarItemsResponse(_message.Message):
    __slots__ = ("items", "next_page_token", "serving_info")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SERVING_INFO_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[_ratings_pb2.ScoredItem]
    next_page_token: str
    serving_info: _ratings_pb2.ServingInfo
    def __init__(self, items: _Optional[_Iterable[_Union[_ratings_pb2.ScoredItem, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., serving_info: _Optional[_Union[_ratings_pb2.ServingInfo, _Mapping]] = ...) -> None: ...

class SubmitRatingRequest(_message.Message):
    __slots__ = ("user_id", "item_id", "value", "event_time", "request_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    item_id: str
    value: float
    event_time: _timestamp_pb2.Timestamp
    request_id: str
    def __init__(self, user_id: _Optional[str] = ..., item_id: _Optional[str] = ..., value: _Optional[float] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class SubmitRatingResponse(_message.Message):
    __slots__ = ("user_revision", "replayed", "serving_info", "superseded")
    USER_REVISION_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    SERVING_INFO_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_FIELD_NUMBER: _ClassVar[int]
    user_revision: int
    replayed: bool
    serving_info: _ratings_pb2.ServingInfo
    superseded: bool
    def __init__(self, user_revision: _Optional[int] = ..., replayed: bool = ..., serving_info: _Optional[_Union[_ratings_pb2.ServingInfo, _Mapping]] = ..., superseded: bool = ...) -> None: ...

class DeleteRatingRequest(_message.Message):
    __slots__ = ("user_id", "item_id", "event_time", "request_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    item_id: str
    event_time: _timestamp_pb2.Timestamp
    request_id: str
    def __init__(self, user_id: _Optional[str] = ..., item_id: _Optional[str] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteRatingResponse(_message.Message):
    __slots__ = ("user_revision", "replayed", "serving_info", "superseded")
    USER_REVISION_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    SERVING_INFO_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_FIELD_NUMBER: _ClassVar[int]
    user_revision: int
    replayed: bool
    serving_info: _ratings_pb2.ServingInfo
    superseded: bool
    def __init__(self, user_revision: _Optional[int] = ..., replayed: bool = ..., serving_info: _Optional[_Union[_ratings_pb2.ServingInfo, _Mapping]] = ..., superseded: bool = ...) -> None: ...

class BatchSubmitRatingsRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[SubmitRatingRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[SubmitRatingRequest, _Mapping]]] = ...) -> None: ...

class BatchSubmitRatingsResponse(_message.Message):
    __slots__ = ("results",)
    class Result(_message.Message):
        __slots__ = ("response", "error")
        RESPONSE_FIELD_NUMBER: _ClassVar[int]
        ERROR_FIELD_NUMBER: _ClassVar[int]
        response: SubmitRatingResponse
        error: _status_pb2.Status
        def __init__(self, response: _Optional[_Union[SubmitRatingResponse, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[BatchSubmitRatingsResponse.Result]
    def __init__(self, results: _Optional[_Iterable[_Union[BatchSubmitRatingsResponse.Result, _Mapping]]] = ...) -> None: ...

class BatchRecommendRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[RecommendRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[RecommendRequest, _Mapping]]] = ...) -> None: ...

class BatchRecommendResponse(_message.Message):
    __slots__ = ("results",)
    class Result(_message.Message):
        __slots__ = ("response", "error")
        RESPONSE_FIELD_NUMBER: _ClassVar[int]
        ERROR_FIELD_NUMBER: _ClassVar[int]
        response: RecommendResponse
        error: _status_pb2.Status
        def __init__(self, response: _Optional[_Union[RecommendResponse, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[BatchRecommendResponse.Result]
    def __init__(self, results: _Optional[_Iterable[_Union[BatchRecommendResponse.Result, _Mapping]]] = ...) -> None: ...

class PredictRatingsRequest(_message.Message):
    __slots__ = ("user_id", "item_ids", "min_user_revision", "profile")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    MIN_USER_REVISION_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    item_ids: _containers.RepeatedScalarFieldContainer[str]
    min_user_revision: int
    profile: Profile
    def __init__(self, user_id: _Optional[str] = ..., item_ids: _Optional[_Iterable[str]] = ..., min_user_revision: _Optional[int] = ..., profile: _Optional[_Union[Profile, _Mapping]] = ...) -> None: ...

class PredictRatingsResponse(_message.Message):
    __slots__ = ("predictions", "serving_info")
    class Prediction(_message.Message):
        __slots__ = ("item_id", "predicted_rating", "rating", "low", "high")
        ITEM_ID_FIELD_NUMBER: _ClassVar[int]
        PREDICTED_RATING_FIELD_NUMBER: _ClassVar[int]
        RATING_FIELD_NUMBER: _ClassVar[int]
        LOW_FIELD_NUMBER: _ClassVar[int]
        HIGH_FIELD_NUMBER: _ClassVar[int]
        item_id: str
        predicted_rating: float
        rating: float
        low: float
        high: float
        def __init__(self, item_id: _Optional[str] = ..., predicted_rating: _Optional[float] = ..., rating: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ...) -> None: ...
    PREDICTIONS_FIELD_NUMBER: _ClassVar[int]
    SERVING_INFO_FIELD_NUMBER: _ClassVar[int]
    predictions: _containers.RepeatedCompositeFieldContainer[PredictRatingsResponse.Prediction]
    serving_info: _ratings_pb2.ServingInfo
    def __init__(self, predictions: _Optional[_Iterable[_Union[PredictRatingsResponse.Prediction, _Mapping]]] = ..., serving_info: _Optional[_Union[_ratings_pb2.ServingInfo, _Mapping]] = ...) -> None: ...

class GetUserStateRequest(_message.Message):
    __slots__ = ("user_id", "max_ratings")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    MAX_RATINGS_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    max_ratings: int
    def __init__(self, user_id: _Optional[str] = ..., max_ratings: _Optional[int] = ...) -> None: ...

class GetUserStateResponse(_message.Message):
    __slots__ = ("user_id", "ratings", "trained", "serving_info")
    class RatedItem(_message.Message):
        __slots__ = ("rating", "title", "in_model")
        RATING_FIELD_NUMBER: _ClassVar[int]
        TITLE_FIELD_NUMBER: _ClassVar[int]
        IN_MODEL_FIELD_NUMBER: _ClassVar[int]
        rating: _ratings_pb2.Rating
        title: str
        in_model: bool
        def __init__(self, rating: _Optional[_Union[_ratings_pb2.Rating, _Mapping]] = ..., title: _Optional[str] = ..., in_model: bool = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    RATINGS_FIELD_NUMBER: _ClassVar[int]
    TRAINED_FIELD_NUMBER: _ClassVar[int]
    SERVING_INFO_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    ratings: _containers.RepeatedCompositeFieldContainer[GetUserStateResponse.RatedItem]
    trained: bool
    serving_info: _ratings_pb2.ServingInfo
    def __init__(self, user_id: _Optional[str] = ..., ratings: _Optional[_Iterable[_Union[GetUserStateResponse.RatedItem, _Mapping]]] = ..., trained: bool = ..., serving_info: _Optional[_Union[_ratings_pb2.ServingInfo, _Mapping]] = ...) -> None: ...
