"""Checks of single fields, for arbitrary values."""

import math
from uuid import UUID

import pytest
from foldin_model.errors import InvalidField
from foldin_model.scale import Scale
from foldin_server.requests.validation import FieldChecks
from hypothesis import given
from hypothesis import strategies as st

SCALE = Scale(0.5, 5.0)


def fields_of(checks: FieldChecks) -> list[str]:
    try:
        checks.raise_violations()
    except InvalidField as error:
        return [violation.field for violation in error.violations]
    return []


@given(st.text(max_size=300))
def test_an_id_has_1_to_256_bytes_and_no_control_characters(text: str) -> None:
    checks = FieldChecks()
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return  # protobuf carries no lone surrogates
    checks.identifier("id", text)
    control = any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text)
    assert (fields_of(checks) == []) == (1 <= size <= 256 and not control)


@given(st.floats())
def test_a_rating_lies_on_the_scale(value: float) -> None:
    checks = FieldChecks()
    checks.rating("value", value, SCALE)
    assert (fields_of(checks) == []) == (0.5 <= value <= 5.0)


@given(st.floats())
def test_a_share_lies_between_0_and_1(value: float) -> None:
    checks = FieldChecks()
    checks.share("share", value)
    assert (fields_of(checks) == []) == (0.0 <= value <= 1.0 and not math.isnan(value))


@given(st.uuids())
def test_a_uuid_is_accepted_in_either_case(value: UUID) -> None:
    checks = FieldChecks()
    assert checks.request_id("request_id", str(value)) == value
    assert checks.request_id("request_id", str(value).upper()) == value
    assert fields_of(checks) == []


@given(st.text(min_size=1))
def test_other_texts_are_no_uuids(text: str) -> None:
    checks = FieldChecks()
    checks.request_id("request_id", text)
    assert fields_of(checks) == ["request_id"]


@given(st.integers(-(2**31), 2**31 - 1))
def test_a_size_has_a_default_and_a_cap(value: int) -> None:
    checks = FieldChecks()
    size = checks.size("page_size", value, default=10, most=200)
    if value < 0:
        assert fields_of(checks) == ["page_size"]
    else:
        assert size == min(value or 10, 200)


def test_all_violations_are_raised_together() -> None:
    checks = FieldChecks()
    checks.identifier("a", "")
    checks.not_negative("b", -1)
    checks.rating("c", None, SCALE)
    with pytest.raises(InvalidField, match=r"a: .*; b: .*; c: "):
        checks.raise_violations()
