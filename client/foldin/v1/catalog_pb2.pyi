from foldin.v1 import ratings_pb2 as _ratings_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Item(_message.Message):
    __slots__ = ("item_id", "title", "genres", "year", "cluster_id", "rating_count", "mean_rating", "available", "source")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    GENRES_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_ID_FIELD_NUMBER: _ClassVar[int]
    RATING_COUNT_FIELD_NUMBER: _ClassVar[int]
    MEAN_RATING_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    title: str
    genres: _containers.RepeatedScalarFieldContainer[str]
    year: int
    cluster_id: int
    rating_count: int
    mean_rating: float
    available: bool
    source: _ratings_pb2.Source
    def __init__(self, item_id: _Optional[str] = ..., title: _Optional[str] = ..., genres: _Optional[_Iterable[str]] = ..., year: _Optional[int] = ..., cluster_id: _Optional[int] = ..., rating_count: _Optional[int] = ..., mean_rating: _Optional[float] = ..., available: bool = ..., source: _Optional[_Union[_ratings_pb2.Source, str]] = ...) -> None: ...

class NewItem(_message.Message):
    __slots__ = ("item_id", "title", "genres", "year", "tags", "embedding")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    GENRES_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    title: str
    genres: _containers.RepeatedScalarFieldContainer[str]
    year: int
    tags: _containers.RepeatedScalarFieldContainer[str]
    embedding: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, item_id: _Optional[str] = ..., title: _Optional[str] = ..., genres: _Optional[_Iterable[str]] = ..., year: _Optional[int] = ..., tags: _Optional[_Iterable[str]] = ..., embedding: _Optional[_Iterable[float]] = ...) -> None: ...

class GetItemRequest(_message.Message):
    __slots__ = ("item_id",)
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    def __init__(self, item_id: _Optional[str] = ...) -> None: ...

class GetItemResponse(_message.Message):
    __slots__ = ("item", "model_version")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    item: Item
    model_version: str
    def __init__(self, item: _Optional[_Union[Item, _Mapping]] = ..., model_version: _Optional[str] = ...) -> None: ...

class ListItemsRequest(_message.Message):
    __slots__ = ("query", "filter", "page_size", "page_token", "include_unavailable")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_UNAVAILABLE_FIELD_NUMBER: _ClassVar[int]
    query: str
    filter: _ratings_pb2.ItemFilter
    page_size: int
    page_token: str
    include_unavailable: bool
    def __init__(self, query: _Optional[str] = ..., filter: _Optional[_Union[_ratings_pb2.ItemFilter, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., include_unavailable: bool = ...) -> None: ...

class ListItemsResponse(_message.Message):
    __slots__ = ("items", "next_page_token", "model_version", "total_size")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[Item]
    next_page_token: str
    model_version: str
    total_size: int
    def __init__(self, items: _Optional[_Iterable[_Union[Item, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., model_version: _Optional[str] = ..., total_size: _Optional[int] = ...) -> None: ...

class ItemCluster(_message.Message):
    __slots__ = ("cluster_id", "name", "genres", "items", "size")
    CLUSTER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    GENRES_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    cluster_id: int
    name: str
    genres: _containers.RepeatedScalarFieldContainer[str]
    items: _containers.RepeatedCompositeFieldContainer[Item]
    size: int
    def __init__(self, cluster_id: _Optional[int] = ..., name: _Optional[str] = ..., genres: _Optional[_Iterable[str]] = ..., items: _Optional[_Iterable[_Union[Item, _Mapping]]] = ..., size: _Optional[int] = ...) -> None: ...

class ListItemClustersRequest(_message.Message):
    __slots__ = ("max_items",)
    MAX_ITEMS_FIELD_NUMBER: _ClassVar[int]
    max_items: int
    def __init__(self, max_items: _Optional[int] = ...) -> None: ...

class ListItemClustersResponse(_message.Message):
    __slots__ = ("clusters", "model_version")
    CLUSTERS_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    clusters: _containers.RepeatedCompositeFieldContainer[ItemCluster]
    model_version: str
    def __init__(self, clusters: _Optional[_Iterable[_Union[ItemCluster, _Mapping]]] = ..., model_version: _Optional[str] = ...) -> None: ...

class ListPopularItemsRequest(_message.Message):
    __slots__ = ("filter", "page_size", "page_token")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    filter: _ratings_pb2.ItemFilter
    page_size: int
    page_token: str
    def __init__(self, filter: _Optional[_Union[_ratings_pb2.ItemFilter, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPopularItemsResponse(_message.Message):
    __slots__ = ("items", "next_page_token", "serving_info")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SERVING_INFO_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[_ratings_pb2.ScoredItem]
    next_page_token: str
    serving_info: _ratings_pb2.ServingInfo
    def __init__(self, items: _Optional[_Iterable[_Union[_ratings_pb2.ScoredItem, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., serving_info: _Optional[_Union[_ratings_pb2.ServingInfo, _Mapping]] = ...) -> None: ...

class UpsertItemsRequest(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[NewItem]
    def __init__(self, items: _Optional[_Iterable[_Union[NewItem, _Mapping]]] = ...) -> None: ...

class UpsertItemsResponse(_message.Message):
    __slots__ = ("overlay_revision", "model_version", "trained_item_ids")
    OVERLAY_REVISION_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    TRAINED_ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    overlay_revision: int
    model_version: str
    trained_item_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, overlay_revision: _Optional[int] = ..., model_version: _Optional[str] = ..., trained_item_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class SetItemAvailabilityRequest(_message.Message):
    __slots__ = ("item_ids", "available")
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    item_ids: _containers.RepeatedScalarFieldContainer[str]
    available: bool
    def __init__(self, item_ids: _Optional[_Iterable[str]] = ..., available: bool = ...) -> None: ...

class SetItemAvailabilityResponse(_message.Message):
    __slots__ = ("overlay_revision", "model_version")
    OVERLAY_REVISION_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    overlay_revision: int
    model_version: str
    def __init__(self, overlay_revision: _Optional[int] = ..., model_version: _Optional[str] = ...) -> None: ...
