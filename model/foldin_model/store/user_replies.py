"""What the store answers about users, as the states that it tells of."""

from collections.abc import Sequence
from typing import NamedTuple

from hiredis import ReplyError

from foldin_model.errors import ArtifactCorrupt, FoldinError, StoreUnavailable
from foldin_model.folded_users import folded_stamp
from foldin_model.ids import Version
from foldin_model.ratings import History
from foldin_model.store.protocols import UserState


class _Stored(NamedTuple):
    """A user whose ratings are still packed: `fields` are items, each with its record behind it."""

    revision: int
    trained: bytes | None
    fields: list[bytes]


def current_states(
    version: Version, known: Sequence[int], reply: object
) -> list[UserState | FoldinError | None]:
    """The states of (m,) users in what one MGET answered, None of whom it does not tell one.

    Of whom a revision is `known`, not 0, that alone was asked; of others the folded state too.
    """
    if isinstance(reply, StoreUnavailable):
        return [reply] * len(known)
    if not isinstance(reply, list):
        raise TypeError(f"the store answered {reply!r} for users")
    answers = iter(reply)
    states: list[UserState | FoldinError | None] = []
    for revision in known:
        current = revision_in(next(answers))
        if revision:
            states.append(UserState(revision) if current == revision else None)
        else:
            states.append(_folded_state(version, current, next(answers)))
    return states


def _folded_state(version: Version, revision: int, folded: object) -> UserState | None:
    """The folded state if it is of that version and revision."""
    if isinstance(folded, bytes) and folded.startswith(folded_stamp(version, revision)):
        return UserState(revision, folded)
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
        case [[revision, folded, (bytes() | None) as trained], list(fields)]:
            number = revision_in(revision)
            short = None if history else _folded_state(version, number, folded)
            return short or _Stored(number, trained, fields)
        case [_, ReplyError() as error]:
            return ArtifactCorrupt(f"the ratings of a user cannot be read: {error}")
    raise TypeError(f"the store answered {reply!r} for a user")


def _state(stored: _Stored, history: History | ArtifactCorrupt) -> UserState | FoldinError:
    if isinstance(history, ArtifactCorrupt):
        return history
    return UserState(stored.revision, history=history, trained=stored.trained)


def _histories(stored: Sequence[list[bytes]]) -> Sequence[History | ArtifactCorrupt]:
    try:
        return History.unpack_each(stored)
    except ArtifactCorrupt:
        return [_history(fields) for fields in stored]


def _history(fields: list[bytes]) -> History | ArtifactCorrupt:
    try:
        return History.unpack(fields)
    except ArtifactCorrupt as error:
        return error


def revision_in(reply: object) -> int:
    """The revision that GET answered, 0 where a user has none."""
    if isinstance(reply, bytes):
        return int(reply)
    if reply is None:
        return 0
    raise TypeError(f"the store answered {reply!r} for a revision")
