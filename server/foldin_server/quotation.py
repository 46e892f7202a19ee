"""Values of a request as messages quote them, cut to a length that fits a status.

A status travels in the trailers of a call, and clients accept 8 KiB of trailers.
"""

from typing import Final

MAX_QUOTED_BYTES: Final = 48
ELLIPSIS: Final = "…"


def quoted(value: str) -> str:
    """Returns the value in quotes, as Python writes it, cut where it is long."""
    return abridged(repr(value), MAX_QUOTED_BYTES)


def abridged(text: str, max_bytes: int) -> str:
    """Returns the text in at most `max_bytes` bytes of UTF-8; a cut text ends in an ellipsis."""
    encoded = text.encode()
    if len(encoded) <= max_bytes:
        return text
    return encoded[: max_bytes - len(ELLIPSIS.encode())].decode(errors="ignore") + ELLIPSIS
