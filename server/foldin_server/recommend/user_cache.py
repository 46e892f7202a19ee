"""The last known folded states of recently served users.

They answer calls while the store is unreachable. While it is reachable, a state is used only if the
store confirms its revision.
"""

from collections import OrderedDict

from foldin_model.ids import UserId, Version
from foldin_model.records.folded_users import PackedUser


class UserCache:
    """Holds at most `size` users; the least recently served one leaves first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._users: OrderedDict[UserId, PackedUser] = OrderedDict()

    def __len__(self) -> int:
        return len(self._users)

    def put(self, user_id: UserId, user: PackedUser) -> None:
        """Holds a state unless a later revision of the same version is held already.

        Revision 0 replaces any other: it means that the user was removed from the store.
        """
        held = self._users.get(user_id)
        if held is not None:
            self._users.move_to_end(user_id)
            if held.version == user.version and held.revision > user.revision > 0:
                return
        self._users[user_id] = user
        if len(self._users) > self._size:
            self._users.popitem(last=False)

    def touch(self, user_id: UserId) -> None:
        """Notes that a user was served, if they are held."""
        if user_id in self._users:
            self._users.move_to_end(user_id)

    def get(self, user_id: UserId, version: Version) -> PackedUser | None:
        """Returns the held state of a user under this model version."""
        user = self._users.get(user_id)
        return user if user is not None and user.version == version else None
