"""What the store answers about users, as the states that it tells of."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from hiredis import ReplyError

from foldin_model.errors import ArtifactCorrupt, FoldinError, StoreUnavailable
from foldin_model.ids import Version
from foldin_model.records.folded_users import folded_stamp
from foldin_model.records.rating_history import History
from foldin_model.store.protocols import StoredUser

KEPT: Final = 3  # values of a user beside her ratings: revision, folded state, trained record


class _Stored(NamedTuple):
    """A user whose ratings are still packed: `fields` are items, each with its record behind it."""

    revision: int
    trained: bytes | None
    fields: list[bytes]


def current_states(
    version: Version, known: Sequence[int], reply: object
) -> list[StoredUser | FoldinError | None]:
    """The states of (m,) users in what one MGET answered, None of whom it does not tell one.

    Of whom a revision is `known`, not 0, that alone was asked; of others the folded state too.
    """
    if isinstance(reply, StoreUnavailable):
        return [reply] * len(known)
    if not isinstance(reply, list):
        raise TypeError(f"the store answered {reply!r} for users")
    answers = iter(reply)
    states: list[StoredUser | FoldinError | None] = []
    for revision in known:
        current = revision_in(next(answers))
        if revision:
            states.append(StoredUser(revision) if current == revision else None)
        else:
            states.append(_folded_state(version, current, next(answers)))
    return states


def _folded_state(version: Version, revision: int, folded: object) -> StoredUser | None:
    """The folded state if it is of that version and revision."""
    if isinstance(folded, bytes) and folded.startswith(folded_stamp(version, revision)):
        return StoredUser(revision, folded)
    return None


def whole_states(
    version: Version, users: int, reply: object, *, history: bool = False
) -> list[StoredUser | FoldinError]:
    """The states of so many users in what one transaction answered, or why there is none.

    It answers with a list of KEPT values of each, and then the ratings of each. With the
    `history`, or each as short as it can be.
    """
    if isinstance(reply, StoreUnavailable):
        return [reply] * users
    match reply:
        case [list(values), *ratings] if (len(values), len(ratings)) == (KEPT * users, users):
            pass
        case _:
            raise TypeError(f"the store answered {reply!r} for {users} users")
    told = [
        _told(version, values[KEPT * place : KEPT * (place + 1)], fields, history=history)
        for place, fields in enumerate(ratings)
    ]
    unpacked = iter(_histories([each.fields for each in told if isinstance(each, _Stored)]))
    return [_state(each, next(unpacked)) if isinstance(each, _Stored) else each for each in told]


def _told(
    version: Version, kept: Sequence[object], fields: object, *, history: bool
) -> StoredUser | FoldinError | _Stored:
    revision, folded, trained = kept
    if isinstance(fields, ReplyError):
        return ArtifactCorrupt(f"the ratings of a user cannot be read: {fields}")
    if not isinstance(fields, list) or not isinstance(trained, bytes | None):
        raise TypeError(f"the store answered {kept!r} and {fields!r} for a user")
    number = revision_in(revision)
    short = None if history else _folded_state(version, number, folded)
    return short or _Stored(number, trained, fields)


def _state(stored: _Stored, history: History | ArtifactCorrupt) -> StoredUser | FoldinError:
    if isinstance(history, ArtifactCorrupt):
        return history
    return StoredUser(stored.revision, history=history, trained=stored.trained)


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
