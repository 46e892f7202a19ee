"""The last known folded state of recently served users, used only while the store is gone.

It is no cache of the serving path: with the store in reach every answer reads the store.
"""

from collections import OrderedDict

from foldin_model.ids import UserId, Version
from foldin_model.records.folded_users import PackedUser


class UserCache:
    """Holds at most `size` users; the one not served for longest leaves first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._users: OrderedDict[UserId, PackedUser] = OrderedDict()

    def __len__(self) -> int:
        return len(self._users)

    def put(self, user_id: UserId, user: PackedUser) -> None:
        """Remembers a state unless a later revision of the same version is held.

        Revision 0 gives way to none: the store has forgotten the user.
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
        """Notes that a user was served, if she is held."""
        if user_id in self._users:
            self._users.move_to_end(user_id)

    def get(self, user_id: UserId, version: Version) -> PackedUser | None:
        """What is known of a user under this model version."""
        user = self._users.get(user_id)
        return user if user is not None and user.version == version else None
