"""Limits of the wire format: arguments that no request can carry, and the error that names them.

These are numbers too large for their field, text that is no UTF-8, impossible times. All other
limits are checked by the server.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Final, SupportsIndex

from foldin_client.calls.requests import timestamp
from foldin_client.errors import Details, InvalidField, Violation

WIDE: Final = frozenset({"epoch", "min_user_revision"})
"""The request fields that hold 64-bit numbers; all others hold 32 bits."""


def invalid_field(arguments: Mapping[str, object], cause: Exception) -> InvalidField:
    """Returns the error that names every argument that does not fit its field, with the limit.

    Where no such argument is found the message is that of `cause`, which building the request
    raised.
    """
    found = tuple(
        violation for name, value in arguments.items() for violation in _violations(name, value)
    )
    message = "; ".join(f"{one.field}: {one.description}" for one in found)
    return InvalidField(message or str(cause), Details(violations=found))


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
    """Returns what the value of the field must be, None where it can be sent."""
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
