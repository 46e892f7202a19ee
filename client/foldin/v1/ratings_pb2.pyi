import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Freshness(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FRESHNESS_UNSPECIFIED: _ClassVar[Freshness]
    FRESHNESS_STRICT: _ClassVar[Freshness]
    FRESHNESS_BOUNDED: _ClassVar[Freshness]

class Personalization(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PERSONALIZATION_UNSPECIFIED: _ClassVar[Personalization]
    PERSONALIZATION_TRAINED: _ClassVar[Personalization]
    PERSONALIZATION_FOLDED_IN: _ClassVar[Personalization]
    PERSONALIZATION_CONTENT: _ClassVar[Personalization]
    PERSONALIZATION_POPULAR: _ClassVar[Personalization]

class Source(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SOURCE_UNSPECIFIED: _ClassVar[Source]
    SOURCE_COLLABORATIVE: _ClassVar[Source]
    SOURCE_CONTENT: _ClassVar[Source]
    SOURCE_POPULAR: _ClassVar[Source]
FRESHNESS_UNSPECIFIED: Freshness
FRESHNESS_STRICT: Freshness
FRESHNESS_BOUNDED: Freshness
PERSONALIZATION_UNSPECIFIED: Personalization
PERSONALIZATION_TRAINED: Personalization
PERSONALIZATION_FOLDED_IN: Personalization
PERSONALIZATION_CONTENT: Personalization
PERSONALIZATION_POPULAR: Personalization
SOURCE_UNSPECIFIED: Source
SOURCE_COLLABORATIVE: Source
SOURCE_CONTENT: Source
SOURCE_POPULAR: Source

class Rating(_message.Message):
    __slots__ = ("item_id", "value", "event_time")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    value: float
    event_time: _timestamp_pb2.Timestamp
    def __init__(self, item_id: _Optional[str] = ..., value: _Optional[float] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ScoredItem(_message.Message):
    __slots__ = ("item_id", "score", "predicted_rating", "title", "genres", "year", "source", "reasons", "cluster_id", "base_score", "other_contributions")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    PREDICTED_RATING_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    GENRES_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_ID_FIELD_NUMBER: _ClassVar[int]
    BASE_SCORE_FIELD_NUMBER: _ClassVar[int]
    OTHER_CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    score: float
    predicted_rating: float
    title: str
    genres: _containers.RepeatedScalarFieldContainer[str]
    year: int
    source: Source
    reasons: _containers.RepeatedCompositeFieldContainer[Reason]
    cluster_id: int
    base_score: float
    other_contributions: float
    def __init__(self, item_id: _Optional[str] = ..., score: _Optional[float] = ..., predicted_rating: _Optional[float] = ..., title: _Optional[str] = ..., genres: _Optional[_Iterable[str]] = ..., year: _Optional[int] = ..., source: _Optional[_Union[Source, str]] = ..., reasons: _Optional[_Iterable[_Union[Reason, _Mapping]]] = ..., cluster_id: _Optional[int] = ..., base_score: _Optional[float] = ..., other_contributions: _Optional[float] = ...) -> None: ...

class Reason(_message.Message):
    __slots__ = ("item_id", "title", "contribution")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    title: str
    contribution: float
    def __init__(self, item_id: _Optional[str] = ..., title: _Optional[str] = ..., contribution: _Optional[float] = ...) -> None: ...

class ServingInfo(_message.Message):
    __slots__ = ("model_version", "personalization", "rating_count", "user_revision", "degraded", "model_time", "freshness")
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    PERSONALIZATION_FIELD_NUMBER: _ClassVar[int]
    RATING_COUNT_FIELD_NUMBER: _ClassVar[int]
    USER_REVISION_FIELD_NUMBER: _ClassVar[int]
    DEGRADED_FIELD_NUMBER: _ClassVar[int]
    MODEL_TIME_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    model_version: str
    personalization: Personalization
    rating_count: int
    user_revision: int
    degraded: bool
    model_time: _timestamp_pb2.Timestamp
    freshness: Freshness
    def __init__(self, model_version: _Optional[str] = ..., personalization: _Optional[_Union[Personalization, str]] = ..., rating_count: _Optional[int] = ..., user_revision: _Optional[int] = ..., degraded: bool = ..., model_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., freshness: _Optional[_Union[Freshness, str]] = ...) -> None: ...

class ItemFilter(_message.Message):
    __slots__ = ("include_genres", "exclude_genres", "exclude_item_ids", "candidate_item_ids", "min_year", "max_year", "include_rated", "min_rating_count")
    INCLUDE_GENRES_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_GENRES_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    MIN_YEAR_FIELD_NUMBER: _ClassVar[int]
    MAX_YEAR_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_RATED_FIELD_NUMBER: _ClassVar[int]
    MIN_RATING_COUNT_FIELD_NUMBER: _ClassVar[int]
    include_genres: _containers.RepeatedScalarFieldContainer[str]
    exclude_genres: _containers.RepeatedScalarFieldContainer[str]
    exclude_item_ids: _containers.RepeatedScalarFieldContainer[str]
    candidate_item_ids: _containers.RepeatedScalarFieldContainer[str]
    min_year: int
    max_year: int
    include_rated: bool
    min_rating_count: int
    def __init__(self, include_genres: _Optional[_Iterable[str]] = ..., exclude_genres: _Optional[_Iterable[str]] = ..., exclude_item_ids: _Optional[_Iterable[str]] = ..., candidate_item_ids: _Optional[_Iterable[str]] = ..., min_year: _Optional[int] = ..., max_year: _Optional[int] = ..., include_rated: bool = ..., min_rating_count: _Optional[int] = ...) -> None: ...
