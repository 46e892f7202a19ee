"""The time limit and the metadata that both clients send with every call."""

import copy
from collections.abc import Mapping
from typing import Self


class CallOptions:
    """What goes with every call of a client, beside the request."""

    timeout_s: float
    """Longest wait for an answer, retries included."""
    metadata: tuple[tuple[str, str], ...]

    def __init__(self, timeout_s: float, metadata: Mapping[str, str] | None) -> None:
        self.timeout_s = timeout_s
        self.metadata = tuple((metadata or {}).items())

    def with_options(
        self, *, timeout_s: float | None = None, metadata: Mapping[str, str] | None = None
    ) -> Self:
        """Returns a client of the same connection with another time limit or more metadata.

        Closing one of the two closes both.
        """
        other = copy.copy(self)
        other.timeout_s = self.timeout_s if timeout_s is None else timeout_s
        other.metadata = (*self.metadata, *(metadata or {}).items())
        return other
