"""The rule of which write wins, with its limits and errors, shared by both backends.

Of two ratings of one item the later one wins, by event time and then by request id. Where both are
equal, a rating wins over a deletion and the higher value over the lower, so that the result does
not depend on the order of arrival.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from foldin_model.errors import ArtifactCorrupt, HistoryFull, InvalidField, Violation
from foldin_model.ids import ItemId, UserId
from foldin_model.records.folded_users import PackedUser, folded_stamp
from foldin_model.records.rating_history import RatingRecord
from foldin_model.store.protocols import (
    MAX_CLOCK_AHEAD_US,
    MAX_RATINGS_A_USER,
    REQUEST_TTL_S,
    RatingWrite,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a rating store keeps, and for how long."""

    max_ratings: int = MAX_RATINGS_A_USER
    """Live ratings a user may have."""
    max_ahead_us: int = MAX_CLOCK_AHEAD_US
    """How far an event time may lie ahead of the store's clock."""
    request_ttl_s: int = REQUEST_TTL_S
    """How long a repeated request is recognized."""
    folded_ttl_s: int = 7 * 86_400
    """How long a folded user is kept."""
    log_length: int = 10_000
    """Approximate number of events kept in each of the 64 shards of the log."""


def request_digest(write: RatingWrite) -> bytes:
    """Returns 16 bytes that are equal for two requests with equal content."""
    value = None if write.value is None else float(write.value)
    content = repr((write.user_id, write.item_id, value, write.event_time_us))
    return blake2b(content.encode(), digest_size=16).digest()


def wins_over(new: RatingRecord, old: RatingRecord) -> bool:
    """Returns whether `new` replaces `old`; false where they are equal."""
    return _order(new) > _order(old)


def _order(record: RatingRecord) -> tuple[int, bytes, bool, float]:
    return (record.event_time_us, record.request_id, not record.deleted, record.value)


def check_event_time(event_time_us: int | None) -> None:
    """Raises InvalidField for a time before 1970; None is allowed."""
    if event_time_us is not None and event_time_us < 0:
        raise InvalidField(Violation("event_time", "lies before 1970-01-01"))


def too_far_ahead(limits: Limits) -> InvalidField:
    """Returns the error for an event time too far in the future."""
    seconds = limits.max_ahead_us / 1_000_000
    text = f"lies more than {seconds:g} seconds ahead of the store's clock; leave it unset for now"
    return InvalidField(Violation("event_time", text))


def history_full(user_id: UserId, live: int, limits: Limits) -> HistoryFull:
    """Returns the error for a user with as many ratings as are allowed."""
    return HistoryFull(
        f"user {user_id!r} has {live} ratings and may have {limits.max_ratings}; "
        "delete some, or change those that are there"
    )


def damaged_rating(user_id: UserId, item_id: ItemId) -> ArtifactCorrupt:
    """Returns the error for a stored rating that cannot be read."""
    return ArtifactCorrupt(
        f"the stored rating of item {item_id!r} by user {user_id!r} is of another format or damaged"
    )


def check_stamps(users: Sequence[tuple[UserId, PackedUser]]) -> None:
    """Raises ValueError where a user's bytes do not begin with their version and revision."""
    for _, (version, revision, packed) in users:
        if not packed.startswith(folded_stamp(version, revision)):
            raise ValueError(f"the folded user is not of version {version}, revision {revision}")
