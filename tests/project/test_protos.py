import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from foldin.v1 import catalog_pb2, model_pb2, ratings_pb2, recommendation_pb2
from foldin_model.retrieval.diversity import WINDOW
from google.protobuf.descriptor import (
    Descriptor,
    EnumDescriptor,
    FieldDescriptor,
    FileDescriptor,
)
from project.checkout import ROOT

PROTOS = sorted((ROOT / "protos").rglob("*.proto"))
FILES: list[FileDescriptor] = [
    module.DESCRIPTOR for module in (catalog_pb2, model_pb2, ratings_pb2, recommendation_pb2)
]
PASCAL = re.compile(r"^([A-Z][a-z0-9]*)+$")
LOWER_SNAKE = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")
UPPER_SNAKE = re.compile(r"^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$")

# Names and numbers that callers are compiled against: they never change, others may join them.
FIXED = """
RecommendRequest: user_id=1 page_size=2 page_token=3 filter=4 diversity=5 include_explanations=6
    min_user_revision=7 require_known_user=8 profile=9 max_reasons=10
ItemFilter: include_genres=1 exclude_genres=2 exclude_item_ids=3 candidate_item_ids=4 min_year=5
    max_year=6 include_rated=7
Diversity: strength=1 max_per_cluster=2
Profile: ratings=1
Rating: item_id=1 value=2 event_time=3
RecommendResponse: items=1 next_page_token=2 serving_info=3
ScoredItem: item_id=1 score=2 predicted_rating=3 title=4 genres=5 year=6 source=7 reasons=8
    cluster_id=9 base_score=10 other_contributions=11
Reason: item_id=1 title=2 contribution=3
ServingInfo: model_version=1 personalization=2 rating_count=3 user_revision=4 degraded=5
    model_time=6 freshness=7
Freshness: FRESHNESS_UNSPECIFIED=0 FRESHNESS_STRICT=1 FRESHNESS_BOUNDED=2
Personalization: PERSONALIZATION_UNSPECIFIED=0 PERSONALIZATION_TRAINED=1
    PERSONALIZATION_FOLDED_IN=2 PERSONALIZATION_CONTENT=3 PERSONALIZATION_POPULAR=4
Source: SOURCE_UNSPECIFIED=0 SOURCE_COLLABORATIVE=1 SOURCE_CONTENT=2 SOURCE_POPULAR=3
SimilarItemsRequest: item_id=1 page_size=2 page_token=3 filter=4
SimilarItemsResponse: items=1 next_page_token=2 serving_info=3
SubmitRatingRequest: user_id=1 item_id=2 value=3 event_time=4 request_id=5
SubmitRatingResponse: user_revision=1 replayed=2 serving_info=3 superseded=4
"""
FIXED_TYPES = {
    "RecommendRequest.page_size": FieldDescriptor.TYPE_INT32,
    "RecommendRequest.min_user_revision": FieldDescriptor.TYPE_INT64,
    "Diversity.strength": FieldDescriptor.TYPE_FLOAT,
    "Rating.value": FieldDescriptor.TYPE_DOUBLE,
    "ScoredItem.score": FieldDescriptor.TYPE_FLOAT,
    "ServingInfo.user_revision": FieldDescriptor.TYPE_INT64,
    "SubmitRatingRequest.value": FieldDescriptor.TYPE_DOUBLE,
}
FIXED_OPTIONAL = {
    ("ItemFilter", "min_year"),
    ("ItemFilter", "max_year"),
    ("ScoredItem", "predicted_rating"),
    ("ScoredItem", "year"),
    ("SubmitRatingRequest", "value"),
}


def messages(parents: list[Descriptor] | None = None) -> Iterator[Descriptor]:
    """Every message, nested ones too, without the entries of maps."""
    if parents is None:
        parents = [message for file in FILES for message in file.message_types_by_name.values()]
    for message in parents:
        if not message.GetOptions().map_entry:
            yield message
            yield from messages(list(message.nested_types))


def enums() -> Iterator[EnumDescriptor]:
    for file in FILES:
        yield from file.enum_types_by_name.values()
    for message in messages():
        yield from message.enum_types


def shapes() -> dict[str, dict[str, int]]:
    """Names and numbers of every message's fields and every enum's values."""
    fields = {m.name: {field.name: field.number for field in m.fields} for m in messages()}
    values = {e.name: {value.name: value.number for value in e.values} for e in enums()}
    return fields | values


def fixed_shapes() -> dict[str, dict[str, int]]:
    entries = re.findall(r"^(\w+):((?:\s+\w+=\d+)+)", FIXED, re.MULTILINE)
    return {
        name: {field: int(number) for field, number in re.findall(r"(\w+)=(\d+)", body)}
        for name, body in entries
    }


def field_of(path: str) -> FieldDescriptor:
    message, field = path.split(".")
    return next(m for m in messages() if m.name == message).fields_by_name[field]


def upper_snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()


@pytest.mark.parametrize("path", PROTOS, ids=lambda path: path.name)
def test_a_proto_imports_only_google_and_its_siblings(path: Path) -> None:
    imported = re.findall(r'^import "([^"]+)";', path.read_text(encoding="utf-8"), re.MULTILINE)
    assert all(name.startswith(("google/", "foldin/v1/")) for name in imported)
    assert imported == sorted(imported)


@pytest.mark.parametrize("path", PROTOS, ids=lambda path: path.name)
def test_a_proto_lies_in_the_folder_of_its_package(path: Path) -> None:
    assert path.parent.relative_to(ROOT / "protos").as_posix() == "foldin/v1"
    assert "package foldin.v1;" in path.read_text(encoding="utf-8")
    assert LOWER_SNAKE.match(path.stem)


@pytest.mark.parametrize("name", sorted(fixed_shapes()))
def test_the_fixed_names_and_numbers_hold(name: str) -> None:
    assert fixed_shapes()[name].items() <= shapes()[name].items()


@pytest.mark.parametrize("path", sorted(FIXED_TYPES))
def test_the_fixed_types_hold(path: str) -> None:
    assert field_of(path).type == FIXED_TYPES[path]


def test_a_field_is_optional_only_where_unset_differs_from_zero() -> None:
    for message, field in FIXED_OPTIONAL:
        assert field_of(f"{message}.{field}").has_presence
    for message in ("RecommendRequest", "Diversity", "Rating", "ServingInfo"):
        scalars = [f for f in shapes()[message] if field_of(f"{message}.{f}").message_type is None]
        assert not any(field_of(f"{message}.{f}").has_presence for f in scalars)


def test_the_three_fixed_calls_belong_to_the_recommendation_service() -> None:
    service = recommendation_pb2.DESCRIPTOR.services_by_name["RecommendationService"]
    assert service.full_name == "foldin.v1.RecommendationService"
    assert {"Recommend", "SimilarItems", "SubmitRating"} <= set(service.methods_by_name)


def test_the_documents_state_the_length_of_a_diversified_list() -> None:
    proto = (ROOT / "protos/foldin/v1/recommendation.proto").read_text(encoding="utf-8")
    assert f"// the list is made of the {WINDOW} items of highest score" in proto
    assert f"the {WINDOW} best items" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_names_follow_the_style_guide() -> None:
    for message in messages():
        assert PASCAL.match(message.name), message.full_name
        for field in message.fields:
            assert LOWER_SNAKE.match(field.name), field.full_name


def test_every_enum_starts_unspecified_and_prefixes_its_values() -> None:
    for enum in enums():
        prefix = upper_snake(enum.name) + "_"
        assert enum.values_by_number[0].name == prefix + "UNSPECIFIED"
        for value in enum.values:
            assert value.name.startswith(prefix), value.name
            assert UPPER_SNAKE.match(value.name), value.name


def test_every_call_has_a_request_and_a_response_of_its_own() -> None:
    services = [service for file in FILES for service in file.services_by_name.values()]
    for service in services:
        assert service.name.endswith("Service")
        for method in service.methods:
            assert PASCAL.match(method.name)
            assert method.input_type.name == f"{method.name}Request"
            assert method.output_type.name == f"{method.name}Response"
    names = [method.name for service in services for method in service.methods]
    assert len(names) == len(set(names))
