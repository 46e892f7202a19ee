"""Types of ids: users, items and versions are strings at the edge, items are rows inside."""

from typing import NewType

UserId = NewType("UserId", str)
ItemId = NewType("ItemId", str)
Row = NewType("Row", int)
Version = NewType("Version", str)

MAX_ID_BYTES = 256
