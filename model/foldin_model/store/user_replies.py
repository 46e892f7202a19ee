"""What the store answers about users, as the states that it tells of."""

from hiredis import ReplyError

from foldin_model.errors import ArtifactCorrupt, FoldinError, StoreUnavailable
from foldin_model.ids import Version
from foldin_model.ratings import History
from foldin_model.store.protocols import UserState
from foldin_model.users import folded_stamp


def first_answer(
    version: Version, known: int, reply: object, *, whole: bool
) -> UserState | FoldinError | None:
    """The state that a first reply tells, None where it does not."""
    if isinstance(reply, StoreUnavailable):
        return reply
    if known:
        return UserState(known) if revision_in(reply) == known else None
    return whole_state_or_failure(version, reply) if whole else current_state(version, reply)


def whole_state_or_failure(version: Version, reply: object) -> UserState | FoldinError:
    """`whole_state`, or why there is none."""
    if isinstance(reply, StoreUnavailable):
        return reply
    try:
        return whole_state(version, reply)
    except ArtifactCorrupt as error:
        return error


def current_state(version: Version, reply: object) -> UserState | None:
    """The state in what MGET answered, if it is of that version and of the user's revision."""
    if isinstance(reply, list) and len(reply) > 1 and isinstance(reply[1], bytes):
        number = revision_in(reply[0])
        if reply[1].startswith(folded_stamp(version, number)):
            return UserState(number, folded=reply[1])
    return None


def whole_state(version: Version, reply: object, *, history: bool = False) -> UserState:
    """The state in what the transaction answered, with the `history` or as short as it can be.

    Raises ArtifactCorrupt.
    """
    match reply:
        case [[revision, _, (bytes() | None) as trained] as kept, list(fields)]:
            short = None if history else current_state(version, kept)
            if short is not None:
                return short
            stored = History.unpack(fields[::2], fields[1::2])
            return UserState(revision_in(revision), history=stored, trained=trained)
        case [_, ReplyError() as error]:
            raise ArtifactCorrupt(f"the ratings of a user cannot be read: {error}")
    raise TypeError(f"the store answered {reply!r} for a user")


def revision_in(reply: object) -> int:
    """The revision that GET answered, 0 where a user has none."""
    if isinstance(reply, bytes):
        return int(reply)
    if reply is None:
        return 0
    raise TypeError(f"the store answered {reply!r} for a revision")
