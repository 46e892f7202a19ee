"""What the store answers about users, as the states that it tells of."""

from collections.abc import Sequence
from typing import NamedTuple

from hiredis import ReplyError

from foldin_model.errors import ArtifactCorrupt, FoldinError, StoreUnavailable
from foldin_model.ids import Version
from foldin_model.ratings import History
from foldin_model.store.protocols import UserState
from foldin_model.users import folded_stamp


class _Stored(NamedTuple):
    """A user whose ratings are still packed: `fields` are their items and their records."""

    revision: int
    trained: bytes | None
    fields: tuple[list[bytes], list[bytes]]


def first_answers(
    version: Version, known: Sequence[int], replies: Sequence[object], *, whole: bool
) -> list[UserState | FoldinError | None]:
    """The states that the first replies about (m,) users tell, None where one does not.

    Of whom a revision is `known`, not 0, that alone was asked; of others all with `whole`.
    """
    asked = [reply for revision, reply in zip(known, replies, strict=True) if not revision]
    others = iter(whole_states(version, asked) if whole else _current_states(version, asked))
    return [
        _unchanged(revision, reply) if revision else next(others)
        for revision, reply in zip(known, replies, strict=True)
    ]


def _unchanged(known: int, reply: object) -> UserState | FoldinError | None:
    if isinstance(reply, StoreUnavailable):
        return reply
    return UserState(known) if revision_in(reply) == known else None


def _current_states(
    version: Version, replies: Sequence[object]
) -> list[UserState | FoldinError | None]:
    return [
        reply if isinstance(reply, StoreUnavailable) else current_state(version, reply)
        for reply in replies
    ]


def current_state(version: Version, reply: object) -> UserState | None:
    """The state in what MGET answered, if it is of that version and of the user's revision."""
    if isinstance(reply, list) and len(reply) > 1 and isinstance(reply[1], bytes):
        number = revision_in(reply[0])
        if reply[1].startswith(folded_stamp(version, number)):
            return UserState(number, folded=reply[1])
    return None


def whole_states(
    version: Version, replies: Sequence[object], *, history: bool = False
) -> list[UserState | FoldinError]:
    """The states in what transactions answered, or why there is none.

    With the `history`, or each as short as it can be.
    """
    told = [_told(version, reply, history=history) for reply in replies]
    unpacked = iter(_histories([each.fields for each in told if isinstance(each, _Stored)]))
    return [_state(each, next(unpacked)) if isinstance(each, _Stored) else each for each in told]


def _told(version: Version, reply: object, *, history: bool) -> UserState | FoldinError | _Stored:
    match reply:
        case StoreUnavailable():
            return reply
        case [[revision, _, (bytes() | None) as trained] as kept, list(fields)]:
            short = None if history else current_state(version, kept)
            if short is not None:
                return short
            return _Stored(revision_in(revision), trained, (fields[::2], fields[1::2]))
        case [_, ReplyError() as error]:
            return ArtifactCorrupt(f"the ratings of a user cannot be read: {error}")
    raise TypeError(f"the store answered {reply!r} for a user")


def _state(stored: _Stored, history: History | ArtifactCorrupt) -> UserState | FoldinError:
    if isinstance(history, ArtifactCorrupt):
        return history
    return UserState(stored.revision, history=history, trained=stored.trained)


def _histories(
    stored: Sequence[tuple[list[bytes], list[bytes]]],
) -> Sequence[History | ArtifactCorrupt]:
    try:
        return History.unpack_each(stored)
    except ArtifactCorrupt:
        return [_history(*fields) for fields in stored]


def _history(item_ids: list[bytes], packed: list[bytes]) -> History | ArtifactCorrupt:
    try:
        return History.unpack(item_ids, packed)
    except ArtifactCorrupt as error:
        return error


def revision_in(reply: object) -> int:
    """The revision that GET answered, 0 where a user has none."""
    if isinstance(reply, bytes):
        return int(reply)
    if reply is None:
        return 0
    raise TypeError(f"the store answered {reply!r} for a revision")
