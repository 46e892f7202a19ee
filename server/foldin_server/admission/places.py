"""The limit of calls in flight in one process."""

from foldin_model.errors import Overloaded

from foldin_server.admission.call import Call
from foldin_server.admission.step import Step
from foldin_server.runtime.metrics import Metrics


class Places(Step):
    """Gives each call one of `count` places, which it holds until it ends."""

    def __init__(self, count: int, metrics: Metrics) -> None:
        self.count = count
        self.taken = 0
        metrics.in_flight.set_function(lambda: self.taken)

    def arrive(self, call: Call) -> None:
        """Takes a place. Raises Overloaded where none is free."""
        if call.arrival_only:
            return  # health is answered by a full server too
        if self.taken >= self.count:
            raise self.overloaded()
        self.taken += 1
        call.holds_place = True

    def leave(self, call: Call) -> None:
        """Frees the place of the call."""
        if call.holds_place:
            call.holds_place = False
            self.taken -= 1

    def overloaded(self) -> Overloaded:
        """Returns the error of a call that finds no place."""
        return Overloaded(f"{self.count} calls are in work, the limit; try again soon")
