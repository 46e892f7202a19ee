"""Which arguments of a call no request can carry: numbers too large for their field, broken text.

What a field may hold within that is for the server to say.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Final, SupportsIndex

from foldin_client.calls.requests import timestamp
from foldin_client.errors import Details, InvalidField, Violation

WIDE: Final = frozenset({"epoch", "min_user_revision"})
"""The numbers that the contract's requests carry in 64 bits; all others have 32."""


def invalid_field(arguments: Mapping[str, object], refused: Exception) -> InvalidField:
    """The error that names what `refused` the request: every such argument, with its limit."""
    found = tuple(
        violation for name, value in arguments.items() for violation in _violations(name, value)
    )
    message = "; ".join(f"{one.field}: {one.description}" for one in found)
    return InvalidField(message or str(refused), Details(violations=found))


def _violations(field: str, value: object) -> Iterator[Violation]:
    if is_dataclass(value):
        for part in fields(value):
            yield from _violations(f"{field}.{part.name}", getattr(value, part.name))
    elif isinstance(value, list | tuple):
        for position, entry in enumerate(value):
            yield from _violations(f"{field}[{position}]", entry)
    elif (limit := _limit(field, value)) is not None:
        yield Violation(field, f"is not {limit}")


def _limit(field: str, value: object) -> str | None:
    """What the value of the field would have to be; None where it can be sent."""
    match value:
        case str() if any("\ud800" <= letter <= "\udfff" for letter in value):
            return "text in UTF-8"
        case datetime() if not _has_stamp(value):
            return "a time of the years 1 to 9999 in UTC"
        case SupportsIndex():
            most = 2 ** (63 if field.rpartition(".")[2] in WIDE else 31) - 1
            return None if -most - 1 <= int(value) <= most else f"from {-most - 1} to {most}"
    return None


def _has_stamp(moment: datetime) -> bool:
    try:
        timestamp(moment)
    except (ValueError, OverflowError):
        return False
    return True
