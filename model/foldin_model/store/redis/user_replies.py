"""Replies of the store about users, turned into StoredUser."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from hiredis import ReplyError

from foldin_model.errors import ArtifactCorrupt, FoldinError, StoreUnavailable
from foldin_model.ids import Version
from foldin_model.records.folded_users import folded_stamp
from foldin_model.records.rating_history import History
from foldin_model.store.protocols import StoredUser

VALUES_A_USER: Final = 3  # revision, folded user, trained user; the ratings are read beside them


class _Packed(NamedTuple):
    """A user whose ratings are still packed: `fields` has each item followed by its record."""

    revision: int
    trained: bytes | None
    fields: list[bytes]


def current_users(
    version: Version, known: Sequence[int], reply: object
) -> list[StoredUser | FoldinError | None]:
    """Returns (m,) users from the reply to one MGET, None for each that has to be read whole.

    For a user whose revision is `known`, not 0, the reply holds the revision alone; for others the
    folded user too.
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
            states.append(_folded_user(version, current, next(answers)))
    return states


def _folded_user(version: Version, revision: int, folded: object) -> StoredUser | None:
    """Returns the folded user if it is of that version and revision."""
    if isinstance(folded, bytes) and folded.startswith(folded_stamp(version, revision)):
        return StoredUser(revision, folded)
    return None


def whole_users(
    version: Version, users: int, reply: object, *, history: bool = False
) -> list[StoredUser | FoldinError]:
    """Returns so many users from the reply to one transaction, or the error for each.

    The reply is a list with VALUES_A_USER values for each user, followed by the ratings of each.
    With `history` every user comes with the history, else only where no folded user is current.
    """
    if isinstance(reply, StoreUnavailable):
        return [reply] * users
    size = VALUES_A_USER
    match reply:
        case [list(values), *ratings] if (len(values), len(ratings)) == (size * users, users):
            pass
        case _:
            raise TypeError(f"the store answered {reply!r} for {users} users")
    read = [
        _read_user(version, values[size * place : size * (place + 1)], fields, history=history)
        for place, fields in enumerate(ratings)
    ]
    unpacked = iter(_histories([each.fields for each in read if isinstance(each, _Packed)]))
    return [_user(each, next(unpacked)) if isinstance(each, _Packed) else each for each in read]


def _read_user(
    version: Version, values: Sequence[object], fields: object, *, history: bool
) -> StoredUser | FoldinError | _Packed:
    revision, folded, trained = values
    if isinstance(fields, ReplyError):
        return ArtifactCorrupt(f"the ratings of a user cannot be read: {fields}")
    if not isinstance(fields, list) or not isinstance(trained, bytes | None):
        raise TypeError(f"the store answered {values!r} and {fields!r} for a user")
    number = revision_in(revision)
    current = None if history else _folded_user(version, number, folded)
    return current or _Packed(number, trained, fields)


def _user(stored: _Packed, history: History | ArtifactCorrupt) -> StoredUser | FoldinError:
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
    """Returns the revision in the reply to GET, 0 where the user has none."""
    if isinstance(reply, bytes):
        return int(reply)
    if reply is None:
        return 0
    raise TypeError(f"the store answered {reply!r} for a revision")
