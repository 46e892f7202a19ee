"""Checks of the fields of a request, which collect all violations before they raise.

A violation names the field and its limit.
"""

import math
import re
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import numpy as np
from foldin_model.arrays import Floats
from foldin_model.errors import InvalidField, Violation
from foldin_model.ids import MAX_ID_BYTES
from foldin_model.scale import Scale

MAX_IDS: Final = 1_000
MAX_VIOLATIONS: Final = 10
DEFAULT_PAGE: Final = 10
MAX_PAGE: Final = 200
MAX_YEAR: Final = 9_999
MIN_SECONDS: Final = -62_135_596_800  # 0001-01-01, the first moment of a protobuf Timestamp
MAX_SECONDS: Final = 253_402_300_799  # 9999-12-31T23:59:59, its last second
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
CANONICAL_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class FieldChecks:
    """The violations of one request so far.

    A check returns the value to go on with, valid or not; `raise_violations` ends the checks.
    """

    def __init__(self) -> None:
        self._violations: list[Violation] = []
        self._left_out = 0

    def raise_violations(self) -> None:
        """Raises InvalidField if a check failed; the last of many violations counts the rest."""
        if not self._violations:
            return
        *first, last = self._violations
        if self._left_out:
            last = Violation(last.field, f"{last.description}; and {self._left_out} more")
        raise InvalidField(*first, last)

    def refuse(self, field: str, description: str) -> None:
        """Notes a violation; those beyond MAX_VIOLATIONS are only counted (trailers have 8 KiB)."""
        if len(self._violations) < MAX_VIOLATIONS:
            self._violations.append(Violation(field, description))
        else:
            self._left_out += 1

    def identifier(self, field: str, value: str) -> str:
        """Checks an id: 1 to 256 bytes without control characters."""
        size = len(value.encode())
        if size == 0:
            self.refuse(field, "is empty; an id has 1 to 256 bytes")
        elif size > MAX_ID_BYTES:
            self.refuse(field, f"has {size} bytes; an id has 1 to {MAX_ID_BYTES}")
        elif not value.isprintable() and CONTROL.search(value):
            self.refuse(field, "has control characters; an id has none")
        return value

    def identifiers(self, field: str, values: Sequence[str], *, least: int = 0) -> tuple[str, ...]:
        """Checks `least` to 1,000 ids, each by `identifier`."""
        if self.count(field, len(values), least=least):
            for position, value in enumerate(values):
                self.identifier(f"{field}[{position}]", value)
        return tuple(values)

    def count(self, field: str, found: int, *, least: int = 0, most: int = MAX_IDS) -> bool:
        """Returns whether a list has `least` to `most` entries."""
        fits = least <= found <= most
        if not fits:
            self.refuse(field, f"has {found} entries; it may have {least} to {most}")
        return fits

    def size(self, field: str, value: int, *, default: int, most: int) -> int:
        """Returns a size of 0 or more: `default` for 0, and `most` for more than that."""
        if value < 0:
            self.refuse(field, f"is {value}; it is 0 (for {default}) or up to {most}")
        return min(value or default, most)

    def not_negative(self, field: str, value: int) -> int:
        """Checks a number that is 0 or more."""
        if value < 0:
            self.refuse(field, f"is {value}; it is 0 or more")
        return value

    def share(self, field: str, value: float) -> float:
        """Checks a number from 0 to 1."""
        if not 0.0 <= value <= 1.0:
            self.refuse(field, f"is {value}; it is 0 to 1")
        return value

    def rating(self, field: str, value: float | None, scale: Scale) -> float:
        """Checks a rating: any number on the scale. Returns NaN for None."""
        if value is None:
            self.refuse(field, f"is not set; a rating is {scale.low} to {scale.high}")
            return math.nan
        if not (math.isfinite(value) and value in scale):
            self.refuse(field, f"is {value}; a rating is {scale.low} to {scale.high}")
        return value

    def years(self, field: str, low: int | None, high: int | None) -> None:
        """Checks that the lower bound of years is not above the upper one."""
        if low is not None and high is not None and low > high:
            self.refuse(f"{field}.min_year", f"is {low}, after max_year {high}")

    def year(self, field: str, value: int) -> int:
        """Checks the year of an item: 1 to MAX_YEAR."""
        if not 1 <= value <= MAX_YEAR:
            self.refuse(field, f"is {value}; a year is 1 to {MAX_YEAR}")
        return value

    def text(self, field: str, value: str, *, max_bytes: int) -> str:
        """Checks a text: 1 to `max_bytes` bytes without control characters."""
        size = len(value.encode())
        if size == 0:
            self.refuse(field, f"is empty; it has 1 to {max_bytes} bytes")
        elif size > max_bytes:
            self.refuse(field, f"has {size} bytes; it has 1 to {max_bytes}")
        elif not value.isprintable() and CONTROL.search(value):
            self.refuse(field, "has control characters; it has none")
        return value

    def embedding(self, field: str, values: Sequence[float], length: int) -> Floats | None:
        """Checks an embedding: (length,) finite numbers. Returns None for an empty one."""
        if len(values) == 0:
            return None
        numbers = np.array(values, np.float32)
        if len(numbers) != length:
            remedy = "leave it out" if length == 0 else f"it has {length} or none"
            self.refuse(field, f"has {len(numbers)} numbers; for the serving model {remedy}")
        elif not np.isfinite(numbers).all():
            self.refuse(field, "has a number that is not finite")
        return numbers

    def event_time_us(self, field: str, seconds: int, nanos: int) -> int:
        """Returns a protobuf Timestamp, which must be valid, in microseconds since 1970."""
        if not (MIN_SECONDS <= seconds <= MAX_SECONDS and 0 <= nanos < 1_000_000_000):
            self.refuse(field, f"is {seconds} s and {nanos} ns; a time is of the years 1 to 9999")
        return seconds * 1_000_000 + nanos // 1_000

    def request_id(self, field: str, value: str) -> UUID | None:
        """Checks a UUID in the form of RFC 9562. Returns None for an empty text."""
        if not value:
            return None
        if not CANONICAL_UUID.fullmatch(value):
            self.refuse(field, "is not a UUID such as 6ba7b810-9dad-41d1-80b4-00c04fd430c8")
            return None
        return UUID(value)
