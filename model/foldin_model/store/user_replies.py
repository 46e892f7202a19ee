"""What the store answers about users, as the states that it tells of."""

from collections.abc import Sequence

from hiredis import ReplyError

from foldin_model.errors import ArtifactCorrupt, FoldinError, StoreUnavailable
from foldin_model.ids import Version
from foldin_model.ratings import History
from foldin_model.store.protocols import UserState
from foldin_model.users import folded_stamp


def first_answers(
    version: Version, known: Sequence[int], replies: Sequence[object], *, whole: bool
) -> Sequence[UserState | FoldinError | None]:
    """The states that the first replies about (m,) users tell, None where one does not.

    Of whom a revision is `known`, not 0, that alone was asked; of others all with `whole`.
    """
    if whole and not any(known):
        return whole_states(version, replies)
    return [
        _first_answer(version, revision, reply, whole=whole)
        for revision, reply in zip(known, replies, strict=True)
    ]


def _first_answer(
    version: Version, known: int, reply: object, *, whole: bool
) -> UserState | FoldinError | None:
    if isinstance(reply, StoreUnavailable):
        return reply
    if known:
        return UserState(known) if revision_in(reply) == known else None
    return whole_states(version, [reply])[0] if whole else current_state(version, reply)


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
    states: dict[int, UserState | FoldinError] = {}
    read: dict[int, tuple[int, bytes | None]] = {}
    stored: list[tuple[list[bytes], list[bytes]]] = []
    for place, reply in enumerate(replies):
        match reply:
            case StoreUnavailable():
                states[place] = reply
            case [[revision, _, (bytes() | None) as trained] as kept, list(fields)]:
                short = None if history else current_state(version, kept)
                if short is not None:
                    states[place] = short
                    continue
                read[place] = revision_in(revision), trained
                stored.append((fields[::2], fields[1::2]))
            case [_, ReplyError() as error]:
                states[place] = ArtifactCorrupt(f"the ratings of a user cannot be read: {error}")
            case _:
                raise TypeError(f"the store answered {reply!r} for a user")
    for (place, (revision, trained)), own in zip(read.items(), _histories(stored), strict=True):
        if isinstance(own, History):
            states[place] = UserState(revision, history=own, trained=trained)
        else:
            states[place] = own
    return [states[place] for place in range(len(replies))]


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
