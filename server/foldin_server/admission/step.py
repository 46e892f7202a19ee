"""What a step at the door may do: at a call's arrival, when it is weighed, and at its end."""

from collections.abc import Sequence

from foldin_server.admission.call import Call


class Step:
    """One thing that is checked or done for every call.

    A step overrides what it needs. To refuse a call it raises a FoldinError, which ends the call
    with its status.
    """

    def arrive(self, call: Call) -> None:
        """Runs before the request is parsed: method, metadata, peer, deadline, byte count."""

    def weigh(self, call: Call, user_ids: Sequence[str]) -> None:
        """Runs after the request is parsed and before any work.

        `call.cost` is known, and `user_ids` are all users that the request names, in the entries
        of a batch too. A request with a profile alone names none.
        """

    def leave(self, call: Call) -> None:
        """Runs when the call has ended, however it ended, also where another step refused it."""
