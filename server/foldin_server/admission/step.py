"""What a step at the door may do: at arrival, at the second moment, and at the end of a call."""

from foldin_server.admission.call import Call, Claim


class Step:
    """One thing that is checked or done for every call.

    A step overrides what it needs. To refuse a call it raises a FoldinError, which ends the call
    with its status.
    """

    def arrive(self, call: Call) -> None:
        """Runs before the request is parsed: method, metadata, peer, deadline, byte count."""

    def weigh(self, call: Call, claim: Claim) -> None:
        """Runs after the request is parsed and before any work: cost, users."""

    def leave(self, call: Call) -> None:
        """Runs when the call has ended, however it ended."""
