import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Model(_message.Message):
    __slots__ = ("version", "create_time", "method", "user_count", "item_count", "rating_count", "min_rating", "max_rating", "dimension", "index_kind", "metrics", "state")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Model.State]
        STATE_CURRENT: _ClassVar[Model.State]
        STATE_PREVIOUS: _ClassVar[Model.State]
        STATE_AVAILABLE: _ClassVar[Model.State]
    STATE_UNSPECIFIED: Model.State
    STATE_CURRENT: Model.State
    STATE_PREVIOUS: Model.State
    STATE_AVAILABLE: Model.State
    class MetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    USER_COUNT_FIELD_NUMBER: _ClassVar[int]
    ITEM_COUNT_FIELD_NUMBER: _ClassVar[int]
    RATING_COUNT_FIELD_NUMBER: _ClassVar[int]
    MIN_RATING_FIELD_NUMBER: _ClassVar[int]
    MAX_RATING_FIELD_NUMBER: _ClassVar[int]
    DIMENSION_FIELD_NUMBER: _ClassVar[int]
    INDEX_KIND_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    version: str
    create_time: _timestamp_pb2.Timestamp
    method: str
    user_count: int
    item_count: int
    rating_count: int
    min_rating: float
    max_rating: float
    dimension: int
    index_kind: str
    metrics: _containers.ScalarMap[str, float]
    state: Model.State
    def __init__(self, version: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., method: _Optional[str] = ..., user_count: _Optional[int] = ..., item_count: _Optional[int] = ..., rating_count: _Optional[int] = ..., min_rating: _Optional[float] = ..., max_rating: _Optional[float] = ..., dimension: _Optional[int] = ..., index_kind: _Optional[str] = ..., metrics: _Optional[_Mapping[str, float]] = ..., state: _Optional[_Union[Model.State, str]] = ...) -> None: ...

class GetServingModelRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServingModelResponse(_message.Message):
    __slots__ = ("model", "epoch", "load_error", "overlay_revision")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    LOAD_ERROR_FIELD_NUMBER: _ClassVar[int]
    OVERLAY_REVISION_FIELD_NUMBER: _ClassVar[int]
    model: Model
    epoch: int
    load_error: str
    overlay_revision: int
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ..., epoch: _Optional[int] = ..., load_error: _Optional[str] = ..., overlay_revision: _Optional[int] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models", "epoch", "current_version", "previous_version")
    MODELS_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    CURRENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_VERSION_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    epoch: int
    current_version: str
    previous_version: str
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., epoch: _Optional[int] = ..., current_version: _Optional[str] = ..., previous_version: _Optional[str] = ...) -> None: ...

class ActivateModelRequest(_message.Message):
    __slots__ = ("version", "epoch")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    version: str
    epoch: int
    def __init__(self, version: _Optional[str] = ..., epoch: _Optional[int] = ...) -> None: ...

class ActivateModelResponse(_message.Message):
    __slots__ = ("epoch", "current_version", "previous_version")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    CURRENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_VERSION_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    current_version: str
    previous_version: str
    def __init__(self, epoch: _Optional[int] = ..., current_version: _Optional[str] = ..., previous_version: _Optional[str] = ...) -> None: ...
