"""What callers sent, as messages repeat it: short, however long it is.

A status travels in trailers, and callers take 8 KiB of them.
"""

from typing import Final

MOST_QUOTED_BYTES: Final = 48
ELLIPSIS: Final = "…"


def quoted(value: str) -> str:
    """The value in quotes, as Python writes it, cut where it is long."""
    return abridged(repr(value), MOST_QUOTED_BYTES)


def abridged(text: str, most_bytes: int) -> str:
    """The text, of at most so many bytes of UTF-8; an ellipsis ends what was cut."""
    encoded = text.encode()
    if len(encoded) <= most_bytes:
        return text
    return encoded[: most_bytes - len(ELLIPSIS.encode())].decode(errors="ignore") + ELLIPSIS
